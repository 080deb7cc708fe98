/* gst-tsrec: the packets of one SSRC in the order of their sequence numbers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcreorder.h"

#define INITIAL_SLOTS 256
/* RFC 3550 appendix A.1. More may be behind than there: what is requested
 * again under its own number, without RFC 4588, arrives late. */
#define MAX_DROPOUT 3000
/* Consecutive late packets after which the stream has started over. */
#define MAX_LATE_RUN 32
/* A packet that is only reordered need not be requested. */
#define REQUEST_DELAY (8 * G_TIME_SPAN_MILLISECOND)
#define DEFAULT_ROUND_TRIP (60 * G_TIME_SPAN_MILLISECOND)
#define MIN_REQUEST_INTERVAL (20 * G_TIME_SPAN_MILLISECOND)
#define MAX_BACK_OFF 3

/**
 * Slot:
 * @item: the packet, NULL: missing
 * @size: bytes of @item
 * @time: when it arrived, or, while it is missing, when that was noticed, µs
 * @next_request: when it is to be requested, µs
 * @last_request: when it was requested, µs
 * @requests: how often it has been requested
 */
typedef struct
{
  gpointer item;
  gsize size;
  gint64 time;
  gint64 next_request;
  gint64 last_request;
  guint requests;
} Slot;

typedef struct
{
  gpointer item;
  gsize size;
} Ready;

/**
 * Suspect:
 * @item: a packet far away from the others, NULL: none
 */
typedef struct
{
  gpointer item;
  gsize size;
  guint16 seq;
  gint64 arrival;
} Suspect;

/**
 * RtcReorder:
 * @ready: Ready, which leave before those in @slots: of before a new start
 * @slots: those of the numbers from @next to before @end, at number modulo
 *   @n_slots
 * @n_slots: a power of two
 * @next: extended sequence number that leaves next
 * @end: extended sequence number behind the highest
 * @hold_until: nothing leaves before it, µs
 * @n_missing: slots without an item
 * @request_due: no slot is to be requested before it, µs
 * @late_run: late packets in a row, with consecutive numbers
 * @last_late: number of the last of them
 * @response_time: see rtc_reorder_get_response_time()
 */
struct _RtcReorder
{
  gint64 latency;
  gsize max_bytes;
  GDestroyNotify destroy;

  GQueue ready;
  Slot *slots;
  guint n_slots;
  gboolean started;
  gboolean left; /* something has left, or was lost: nothing comes before */
  gint64 next;
  gint64 end;
  gint64 hold_until;
  gsize bytes;
  guint n_missing;
  gint64 request_due;

  Suspect suspect;
  guint late_run;
  guint16 last_late;

  gint64 response_time;
  RtcReorderStats stats;
};

static Slot *
get_slot (RtcReorder *self, gint64 number)
{
  return &self->slots[(guint64)number & (self->n_slots - 1)];
}

RtcReorder *
rtc_reorder_new (gint64 latency, gsize max_bytes, GDestroyNotify destroy)
{
  RtcReorder *self = g_new0 (RtcReorder, 1);

  self->latency = latency;
  self->max_bytes = max_bytes;
  self->destroy = destroy;
  self->n_slots = INITIAL_SLOTS;
  self->slots = g_new0 (Slot, self->n_slots);
  self->request_due = RTC_REORDER_NEVER;
  g_queue_init (&self->ready);
  return self;
}

static void
drop_suspect (RtcReorder *self)
{
  if (self->suspect.item)
    self->destroy (self->suspect.item);
  self->suspect.item = NULL;
}

/* Returns the first item in @ready, which is not empty. */
static gpointer
pop_ready (RtcReorder *self)
{
  Ready *ready = g_queue_pop_head (&self->ready);
  gpointer item = ready->item;

  self->bytes -= ready->size;
  g_free (ready);
  return item;
}

void
rtc_reorder_free (RtcReorder *self)
{
  if (!self)
    return;
  for (gint64 number = self->next; number < self->end; number++)
    if (get_slot (self, number)->item)
      self->destroy (get_slot (self, number)->item);
  drop_suspect (self);
  while (!g_queue_is_empty (&self->ready))
    self->destroy (pop_ready (self));
  g_free (self->slots);
  g_free (self);
}

/* --- adding --- */

/* Makes room for numbers from @next to before @end. */
static void
reserve (RtcReorder *self, gint64 next, gint64 end)
{
  guint n_slots = self->n_slots;
  Slot *slots;

  while ((gint64)n_slots < end - next)
    n_slots *= 2;
  if (n_slots == self->n_slots)
    return;
  slots = g_new0 (Slot, n_slots);
  for (gint64 number = self->next; number < self->end; number++)
    slots[(guint64)number & (n_slots - 1)] = *get_slot (self, number);
  g_free (self->slots);
  self->slots = slots;
  self->n_slots = n_slots;
}

static void
set_missing (RtcReorder *self, gint64 number, gint64 now)
{
  Slot *slot = get_slot (self, number);

  *slot = (Slot){ .time = now, .next_request = now + REQUEST_DELAY };
  self->n_missing++;
  self->request_due = MIN (self->request_due, slot->next_request);
}

/* The numbers begin at @seq. They are extended from where no late one can make
 * them negative. */
static void
start (RtcReorder *self, guint16 seq, gint64 hold_until)
{
  self->started = TRUE;
  self->left = FALSE;
  self->next = self->end = 0x10000 + (gint64)seq;
  self->hold_until = hold_until;
  self->n_missing = 0;
  self->request_due = RTC_REORDER_NEVER;
  self->late_run = 0;
}

static void
push_ready (RtcReorder *self, Slot *slot)
{
  Ready *ready = g_new (Ready, 1);

  *ready = (Ready){ g_steal_pointer (&slot->item), slot->size };
  g_queue_push_tail (&self->ready, ready);
}

/* What is held leaves first; what is missing in between is lost. */
static void
start_over (RtcReorder *self, guint16 seq)
{
  for (; self->next < self->end; self->next++) {
    Slot *slot = get_slot (self, self->next);

    if (slot->item)
      push_ready (self, slot);
    else
      self->stats.lost++;
  }
  start (self, seq, G_MININT64);
}

/* The extended number of @seq that is nearest to the highest one. */
static gint64
extend (RtcReorder *self, guint16 seq)
{
  return self->end - 1 + (gint16)(seq - (guint16)(self->end - 1));
}

static void
extend_range (RtcReorder *self, gint64 number, gint64 now)
{
  if (number < self->next) {
    reserve (self, number, self->end);
    while (self->next > number)
      set_missing (self, --self->next, now);
  }
  if (number >= self->end) {
    reserve (self, self->next, number + 1);
    while (self->end < number)
      set_missing (self, self->end++, now);
  }
}

static gboolean
is_beyond (RtcReorder *self, guint factor)
{
  gint64 n = self->end - self->next + self->ready.length;

  return self->bytes > factor * self->max_bytes ||
      n > (gint64)factor * RTC_REORDER_MAX_SPAN;
}

static void
lose_front (RtcReorder *self)
{
  Slot *slot = get_slot (self, self->next++);

  if (slot->item) {
    self->bytes -= slot->size;
    self->destroy (g_steal_pointer (&slot->item));
  } else {
    self->n_missing--;
  }
  self->stats.lost++;
  self->left = TRUE;
}

static void
lose_oldest (RtcReorder *self)
{
  if (g_queue_is_empty (&self->ready)) {
    lose_front (self);
    return;
  }
  self->destroy (pop_ready (self));
  self->stats.lost++;
}

/* More than may be held: what is missing in front of it is not waited for. When
 * nobody takes what is there, the oldest packets are lost in the end. */
static void
enforce_limits (RtcReorder *self)
{
  while (is_beyond (self, 1) && self->next < self->end &&
      !get_slot (self, self->next)->item)
    lose_front (self);
  while (is_beyond (self, 2))
    lose_oldest (self);
}

static void
put (RtcReorder *self, gint64 number, gpointer item, gsize size, gint64 now)
{
  Slot *slot;

  extend_range (self, number, now);
  slot = get_slot (self, number);
  if (number == self->end) {
    *slot = (Slot){ 0 };
    self->end++;
    self->n_missing++;
  }
  if (slot->requests > 0)
    self->stats.retransmitted++;
  if (slot->requests == 1 && now > slot->last_request)
    self->response_time = now - slot->last_request;
  slot->item = item;
  slot->size = size;
  slot->time = now;
  self->bytes += size;
  self->n_missing--;
  self->late_run = 0;
  enforce_limits (self);
}

/* RFC 3550 appendix A.1: two consecutive packets are a new start. */
static RtcReorderResult
take_far (RtcReorder *self, guint16 seq, gpointer item, gsize size, gint64 now)
{
  Suspect *suspect = &self->suspect;

  if (suspect->item && (guint16)(suspect->seq + 1) == seq) {
    start_over (self, suspect->seq);
    put (self, self->end, g_steal_pointer (&suspect->item), suspect->size,
        suspect->arrival);
    put (self, self->end, item, size, now);
    return RTC_REORDER_ADDED;
  }
  drop_suspect (self);
  *suspect = (Suspect){ item, size, seq, now };
  return RTC_REORDER_SUSPECT;
}

static RtcReorderResult
take_late (RtcReorder *self, guint16 seq, gpointer item, gsize size, gint64 now,
    gboolean retransmitted)
{
  if (!retransmitted) {
    self->late_run =
        (guint16)(self->last_late + 1) == seq ? self->late_run + 1 : 1;
    self->last_late = seq;
    if (self->late_run >= MAX_LATE_RUN) {
      start_over (self, seq);
      put (self, self->end, item, size, now);
      return RTC_REORDER_ADDED;
    }
  }
  /* Senders fill their probes for bandwidth with retransmissions of what has
   * arrived long ago. */
  if (retransmitted)
    self->stats.duplicates++;
  else
    self->stats.late++;
  self->destroy (item);
  return RTC_REORDER_LATE;
}

RtcReorderResult
rtc_reorder_add (RtcReorder *self, guint16 seq, gpointer item, gsize size,
    gint64 now, gboolean retransmitted)
{
  gint64 number;

  self->response_time = 0;
  if (!self->started)
    start (self, seq, now + self->latency);
  number = extend (self, seq);
  if (!retransmitted &&
      (number - self->end > MAX_DROPOUT || self->next - number > MAX_DROPOUT))
    return take_far (self, seq, item, size, now);
  if (number < self->next && (self->left || retransmitted))
    return take_late (self, seq, item, size, now, retransmitted);
  if (number >= self->next && number < self->end &&
      get_slot (self, number)->item) {
    self->stats.duplicates++;
    self->destroy (item);
    return RTC_REORDER_DUPLICATE;
  }
  drop_suspect (self);
  put (self, number, item, size, now);
  return RTC_REORDER_ADDED;
}

/* --- taking --- */

static gpointer
take_front (RtcReorder *self)
{
  Slot *slot = get_slot (self, self->next++);

  self->left = TRUE;
  self->bytes -= slot->size;
  self->stats.received++;
  return g_steal_pointer (&slot->item);
}

gpointer
rtc_reorder_take (RtcReorder *self, gint64 now)
{
  if (!g_queue_is_empty (&self->ready)) {
    self->stats.received++;
    return pop_ready (self);
  }
  if (now < self->hold_until)
    return NULL;
  while (self->next < self->end) {
    Slot *slot = get_slot (self, self->next);

    if (slot->item)
      return take_front (self);
    if (now < slot->time + self->latency)
      return NULL;
    lose_front (self);
  }
  return NULL;
}

gint64
rtc_reorder_get_due (RtcReorder *self)
{
  const Slot *slot = get_slot (self, self->next);
  gint64 due;

  if (!g_queue_is_empty (&self->ready))
    return G_MININT64;
  if (self->next == self->end)
    return RTC_REORDER_NEVER;
  due = slot->item ? G_MININT64 : slot->time + self->latency;
  return MAX (due, self->hold_until);
}

void
rtc_reorder_foreach (RtcReorder *self, GFunc function, gpointer user_data)
{
  for (const GList *l = self->ready.head; l; l = l->next)
    function (((const Ready *)l->data)->item, user_data);
  for (gint64 number = self->next; number < self->end; number++)
    if (get_slot (self, number)->item)
      function (get_slot (self, number)->item, user_data);
}

void
rtc_reorder_restart (RtcReorder *self, guint16 seq)
{
  drop_suspect (self);
  start_over (self, seq);
  self->left = TRUE;
}

/* --- requests for retransmission --- */

guint
rtc_reorder_get_missing (
    RtcReorder *self, gint64 now, gint64 round_trip, guint16 *seqs, guint max)
{
  gint64 interval = MAX (MIN_REQUEST_INTERVAL,
      (round_trip > 0 ? round_trip : DEFAULT_ROUND_TRIP) * 5 / 4);
  guint n = 0;

  if (now < self->request_due)
    return 0;
  self->request_due = RTC_REORDER_NEVER;
  if (self->n_missing == 0)
    return 0;
  for (gint64 number = self->next; number < self->end; number++) {
    Slot *slot = get_slot (self, number);

    if (slot->item || slot->requests >= RTC_REORDER_MAX_REQUESTS)
      continue;
    if (slot->next_request <= now && n < max) {
      slot->requests++;
      slot->last_request = now;
      /* Backs off, so that in the end an answer is one to the last request,
       * and tells the round trip. */
      slot->next_request =
          now + interval * (1 << MIN (slot->requests - 1, MAX_BACK_OFF));
      seqs[n++] = (guint16)number;
    }
    if (slot->requests < RTC_REORDER_MAX_REQUESTS)
      self->request_due = MIN (self->request_due, slot->next_request);
  }
  self->stats.requested += n;
  return n;
}

gint64
rtc_reorder_get_request_due (RtcReorder *self)
{
  return self->n_missing > 0 ? self->request_due : RTC_REORDER_NEVER;
}

gboolean
rtc_reorder_is_requested (RtcReorder *self, guint16 seq)
{
  gint64 number = extend (self, seq);
  const Slot *slot = get_slot (self, number);

  return number >= self->next && number < self->end && !slot->item &&
      slot->requests > 0;
}

gint64
rtc_reorder_get_response_time (RtcReorder *self)
{
  return self->response_time;
}

void
rtc_reorder_get_stats (RtcReorder *self, RtcReorderStats *stats)
{
  *stats = self->stats;
}
