// SPDX-License-Identifier: BSD-2-Clause
/* The client library, in a file of its own as its header says. */
#define LIFEBOAT_CALL_IMPLEMENTATION
#include "client/lifeboat_call.h"
