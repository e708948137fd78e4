/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF-64 structures and numbers, as far as the stage reads or writes them (System V ABI, "Object Files"). */
#ifndef LIFEBOAT_BASE_ELF_H
#define LIFEBOAT_BASE_ELF_H

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files and memory hold these structs as they are");

struct elf_header {
	uint8_t ident[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "as in the ABI");

struct elf_phdr {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};
_Static_assert(sizeof(struct elf_phdr) == 56, "as in the ABI");

/** What stands before each note; the one that ends a list of notes is all zero. */
struct elf_note {
	uint32_t name_size;
	uint32_t desc_size;
	uint32_t type;
};
_Static_assert(sizeof(struct elf_note) == 12, "as in the ABI");

#define ELF_VERSION	  1
#define ELF_TYPE_EXEC	  2
#define ELF_TYPE_DYN	  3
#define ELF_TYPE_CORE	  4
#define ELF_MACHINE_RISCV 243
#define ELF_PHNUM_ESCAPE  0xffff /* the true number stands elsewhere */
#define ELF_PHDR_LOAD	  1
#define ELF_PHDR_NOTE	  4
#define ELF_PHDR_RWX	  7

#endif
