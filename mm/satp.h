/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the hart which paging modes it has. satp is WARL: a write with a mode that the hart lacks
 * changes nothing at all (Privileged Architecture, "satp register").
 */
#ifndef LIFEBOAT_MM_SATP_H
#define LIFEBOAT_MM_SATP_H

#include "base/types.h"

/**
 * Try a value of satp: install it, read it back, put the old one in its place again.
 *
 * Context: paging on or off. The tables that @satp names must map the page of this function where it
 * runs now, executable; nothing else of them is used. Never call it with a mode above the FDT's mmu-type:
 * some harts hang on a mode that they lack.
 * Return: did the hart take it?
 */
bool satp_accepts(uint64_t satp);

/** Go on with other tables, which map what runs now and its stack as they were. Fenced on both sides. */
void satp_switch(uint64_t satp);

/** Forget every cached translation of this hart (sfence.vma x0, x0). */
void satp_flush(void);

#endif
