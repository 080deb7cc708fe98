/* gst-tsrec: tells ThreadSanitizer of the locks of GLib and GStreamer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GLib takes its mutexes with futexes, in a library that is not built with the
 * sanitizer, which therefore sees neither that they exclude nor that they
 * order anything, and would call every use of them a race. The same holds for
 * reference counts, for what is initialised once, and for sources of a main
 * context. These wrappers stand before GLib's own functions, for all libraries
 * that call them through the linker, and say what happens. Linked into the test
 * program only.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>

#define REAL(name)                                                             \
  static __typeof__ (&name) real;                                              \
  if (!real)                                                                   \
  real = (__typeof__ (&name))dlsym (RTLD_NEXT, #name)

#define SHOWN __attribute__ ((visibility ("default"), no_sanitize ("thread")))

#define WRAP_MUTEX(type, init, clear, lock, trylock, unlock, flags)            \
  SHOWN void lock (type *mutex)                                                \
  {                                                                            \
    REAL (lock);                                                               \
    __tsan_mutex_pre_lock (mutex, flags);                                      \
    real (mutex);                                                              \
    __tsan_mutex_post_lock (mutex, flags, 0);                                  \
  }                                                                            \
  SHOWN gboolean trylock (type *mutex)                                         \
  {                                                                            \
    gboolean ok;                                                               \
    REAL (trylock);                                                            \
    __tsan_mutex_pre_lock (mutex, (flags) | __tsan_mutex_try_lock);            \
    ok = real (mutex);                                                         \
    __tsan_mutex_post_lock (mutex,                                             \
        (flags) | __tsan_mutex_try_lock |                                      \
            (ok ? 0 : __tsan_mutex_try_lock_failed),                           \
        0);                                                                    \
    return ok;                                                                 \
  }                                                                            \
  SHOWN void unlock (type *mutex)                                              \
  {                                                                            \
    REAL (unlock);                                                             \
    __tsan_mutex_pre_unlock (mutex, flags);                                    \
    real (mutex);                                                              \
    __tsan_mutex_post_unlock (mutex, flags);                                   \
  }                                                                            \
  SHOWN void clear (type *mutex)                                               \
  {                                                                            \
    REAL (clear);                                                              \
    __tsan_mutex_destroy (mutex, 0);                                           \
    real (mutex);                                                              \
  }

#define PLAIN (__tsan_mutex_linker_init)

WRAP_MUTEX (GMutex, g_mutex_init, g_mutex_clear, g_mutex_lock, g_mutex_trylock,
    g_mutex_unlock, PLAIN)
/* The mutex of pthread inside is locked by GLib, of which the sanitizer ignores
 * what it calls. */
WRAP_MUTEX (GRecMutex, g_rec_mutex_init, g_rec_mutex_clear, g_rec_mutex_lock,
    g_rec_mutex_trylock, g_rec_mutex_unlock,
    __tsan_mutex_linker_init | __tsan_mutex_write_reentrant)

SHOWN void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  REAL (g_cond_wait);
  __tsan_mutex_pre_unlock (mutex, PLAIN);
  __tsan_mutex_post_unlock (mutex, PLAIN);
  real (cond, mutex);
  __tsan_mutex_pre_lock (mutex, PLAIN);
  __tsan_mutex_post_lock (mutex, PLAIN, 0);
}

SHOWN gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  REAL (g_cond_wait_until);
  __tsan_mutex_pre_unlock (mutex, PLAIN);
  __tsan_mutex_post_unlock (mutex, PLAIN);
  signalled = real (cond, mutex, end_time);
  __tsan_mutex_pre_lock (mutex, PLAIN);
  __tsan_mutex_post_lock (mutex, PLAIN, 0);
  return signalled;
}

/* The macro reads the location with an atomic operation of its own. */
SHOWN void (g_once_init_leave) (volatile void *location, gsize result)
{
  REAL (g_once_init_leave);
  __tsan_release ((void *)location);
  real (location, result);
}

SHOWN
gboolean (g_once_init_enter) (volatile void *location)
{
  gboolean first;

  REAL (g_once_init_enter);
  first = real (location);
  __tsan_acquire ((void *)location);
  return first;
}

/* The thread that frees does so after all work of the others. */
SHOWN
gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  gboolean last;

  REAL (g_atomic_ref_count_dec);
  __tsan_release ((void *)count);
  last = real (count);
  if (last)
    __tsan_acquire ((void *)count);
  return last;
}

/* A source of a main context runs after it was attached, on another thread. GLib
 * takes its own mutexes without the linker. */
typedef struct
{
  GSource *source;
  GSourceFunc function;
  gpointer data;
  GDestroyNotify destroy;
} Callback;

__attribute__ ((no_sanitize ("thread"))) static gboolean
run_callback (gpointer data)
{
  Callback *callback = data;

  __tsan_acquire (callback->source);
  return callback->function (callback->data);
}

__attribute__ ((no_sanitize ("thread"))) static void
free_callback (gpointer data)
{
  Callback *callback = data;

  __tsan_acquire (callback->source);
  if (callback->destroy)
    callback->destroy (callback->data);
  free (callback);
}

/* Only functions of the kind that idle and timeout sources have: what they are
 * called with is their data. */
SHOWN void
g_source_set_callback (GSource *source, GSourceFunc function, gpointer data,
    GDestroyNotify destroy)
{
  Callback *callback;

  REAL (g_source_set_callback);
  if (!source->source_funcs ||
      (source->source_funcs != &g_timeout_funcs &&
          source->source_funcs != &g_idle_funcs)) {
    real (source, function, data, destroy);
    return;
  }
  callback = malloc (sizeof (*callback));
  *callback = (Callback){ source, function, data, destroy };
  real (source, run_callback, callback, free_callback);
}

SHOWN guint
g_source_attach (GSource *source, GMainContext *context)
{
  REAL (g_source_attach);
  __tsan_release (source);
  return real (source, context);
}

/* Whoever frees an entry of a clock does so after all that others have done
 * with it. GStreamer says so by an atomic counter, which is not seen. */
SHOWN void
gst_clock_id_unref (GstClockID id)
{
  REAL (gst_clock_id_unref);
  __tsan_release (id);
  __tsan_acquire (id);
  real (id);
}
