/* gst-tsrec: tells ThreadSanitizer of the locks of GLib and GStreamer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GLib takes its mutexes with futexes, in a library that is not built with the
 * sanitizer, which therefore sees neither that they exclude nor that they
 * order anything, and would call every use of them a race. These wrappers
 * stand before GLib's own functions (a GRecMutex is one of pthread, which the
 * sanitizer knows), for all libraries that call them through
 * the linker, and say what happens. Linked into the test program only.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>

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
