/* SPDX-License-Identifier: BSD-2-Clause */
/* picolibc's configuration as lifeboat builds it: no locale, no threads, integer-only printf. */
#pragma once

#define _PICOLIBC__	     1
#define _PICOLIBC_MINOR__    8
#define _PICOLIBC_VERSION    "1.8.10"
#define _NEWLIB_VERSION	     "4.3.0"
#define __NEWLIB__	     4
#define __NEWLIB_MINOR__     3
#define __NEWLIB_PATCHLEVEL__ 0

#define __TINY_STDIO
#define __IO_DEFAULT	     'i'
#define __IO_LONG_LONG
#define __IO_C99_FORMATS
#define __SINGLE_THREAD
#define __GLOBAL_ERRNO
#define __HAVE_CC_INHIBIT_LOOP_TO_LIBCALL
