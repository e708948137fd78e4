/* SPDX-License-Identifier: BSD-2-Clause */
/* A crash kernel from userspace: a bundle in the crash region, which the stage starts after a crash. */
#ifndef LIFEBOAT_TOOLS_LOAD_H
#define LIFEBOAT_TOOLS_LOAD_H

#include "tools/lifeboat-ctl/control.h"

/** lifeboat-ctl load FILE: check control->option, a bundle, as the stage will, and put it in place. */
int load_run(struct control *control);

/** lifeboat-ctl unload. */
int unload_run(struct control *control);

#endif
