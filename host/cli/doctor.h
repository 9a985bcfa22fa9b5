// doctor.h — what the two halves of `doctor` share: the machine (doctor.c) and the data (doctor_data.c).
#pragma once
#include "cli/internal.h"

enum verdict { OK, WARN, FAIL };
struct doctor { struct cli *cli; struct fr_buf *out; int count, failed; bool quick; };
// One line. `help` is the step that helps; it is shown when all is not well.
void say(struct doctor *d, enum verdict v, const char *name, const char *help, const char *fmt, ...) FR_PRINTF(5, 6);
// The same for what an error says, with its code.
void say_error(struct doctor *d, enum verdict v, const char *name, const char *help, const struct fr_err *err);
void look_at_data(struct doctor *d);
