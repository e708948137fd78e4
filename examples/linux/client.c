// SPDX-License-Identifier: BSD-2-Clause
/* lifeboat's client library, apart from the kernel's headers. */
#define LIFEBOAT_CALL_IMPLEMENTATION
#include "client/lifeboat_call.h"
