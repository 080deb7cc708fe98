/* gst-tsrec: code that the fuzz targets share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The entry of libFuzzer, and of replay.c. Returns 0. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Ends the process when @condition does not hold: a finding. */
#define FUZZ_ASSERT(condition, ...)                                            \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf (stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);         \
      fprintf (stderr, __VA_ARGS__);                                           \
      fputc ('\n', stderr);                                                    \
      abort ();                                                                \
    }                                                                          \
  } while (0)

/* The input, taken from its front; zeros once it is used up. */
typedef struct
{
  const uint8_t *data;
  size_t size;
} FuzzInput;

static inline uint8_t
fuzz_u8 (FuzzInput *input)
{
  if (input->size == 0)
    return 0;
  input->size--;
  return *input->data++;
}

static inline uint16_t
fuzz_u16 (FuzzInput *input)
{
  uint16_t high = fuzz_u8 (input);

  return (uint16_t)(high << 8 | fuzz_u8 (input));
}

static inline uint64_t
fuzz_u64 (FuzzInput *input)
{
  uint64_t value = 0;

  for (int i = 0; i < 4; i++)
    value = value << 16 | fuzz_u16 (input);
  return value;
}
