// device.h — a User-Agent, reduced to what helps a person to tell their sessions apart: "Android, Telegram". Pure.
//
// The header itself is kept nowhere: it says more about a person than this host needs to know.
#pragma once
#include <stddef.h>

#define DEVICE_BYTES 32
// "System, program", one of them, or "" when neither is known. Only words of our own: hostile text cannot come through.
void device_name(const char *agent, size_t len, char out[DEVICE_BYTES]);
