/* gst-tsrec: conversion of a closed recording to another container
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* @error: NULL if @output is complete and durable. */
typedef void (*RecServerConvertFunc) (
    const gchar *output, const GError *error, gpointer user_data);

/* Runs @program of the folder @tools ("PROGRAM --force INPUT OUTPUT") at low
 * priority, makes @output durable and deletes @input and its playlist. After an
 * error, @input is kept. @func is called in the thread-default main context. */
void rec_server_convert (const gchar *tools, const gchar *program,
    const gchar *input, const gchar *output, RecServerConvertFunc func,
    gpointer user_data);

G_END_DECLS
