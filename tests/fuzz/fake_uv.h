// fake_uv.h — the part of libuv that host/net uses, without a kernel: one listener, one connection, and a clock that the target sets.
//
// So a target drives the whole of host/net - accepting, reading in pieces, pausing, partial writes, deadlines, closing - as fast as
// memory allows, and the same bytes always give the same run.
#pragma once
#include "base/buf.h"
#include "net/server.h"

void fake_connect(void);                               // a client arrives
bool fake_open(void);                                  // the connection is not closed yet
bool fake_reads(void);                                 // the server wants bytes
size_t fake_read(const void *bytes, size_t len);       // gives as many as fit; the number taken, 0 when the server does not read
void fake_eof(void);                                   // the client sends no more
void fake_turn(void);                                  // the loop sleeps: prepare, writes that finish, close callbacks
void fake_tick(int ms);                                // time passes, and the server's timer runs
void fake_room(size_t bytes);                          // what the kernel takes of writes until the next turn; SIZE_MAX: all
extern struct fr_buf fake_sent;                        // what the client has received
