/* SPDX-License-Identifier: MIT */
/*
 * Counts the allocations of one program and makes chosen ones fail; for LD_PRELOAD, with glibc.
 *
 *   MUSTER_FAIL_FILE     a file of sizeof(struct control), all zero at first, that a test maps, too
 *   MUSTER_FAIL_PROGRAM  the name of the program that is meant; others run as ever
 *
 * The first process of that name to allocate is the one that is watched (parts[0]); what it forks,
 * and every later process of that name, counts in parts[1]. A test may set `at` before the start or
 * at any time.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAMES     12
#define STACK_LOOK 512 /* words of the stack in which callers are looked for */

struct part {
	_Atomic uint64_t calls;
	_Atomic uint64_t at;     /* the call that fails, counted from 1; 0: none */
	_Atomic uint64_t sticky; /* and all behind it */
	_Atomic uint64_t failed;
	uint64_t where[FRAMES]; /* the first that failed: offsets in the program, innermost first */
};

struct control {
	_Atomic uint64_t
		pid; /* of the process that is watched, as it knows itself; 0: to be taken */
	struct part parts[2];
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct control *control;
static struct part *part; /* NULL: nothing is counted */
static bool looked;
static _Thread_local bool inside;

static void in_child(void)
{
	if (control)
		part = &control->parts[1];
}

static bool is_meant(void)
{
	const char *wanted = getenv("MUSTER_FAIL_PROGRAM");
	const char *name = program_invocation_short_name;

	return wanted && name && strcmp(wanted, name) == 0;
}

/* At the first allocation, which may come before any constructor of ours. */
static void look(void)
{
	const char *path = getenv("MUSTER_FAIL_FILE");
	uint64_t nobody = 0;
	void *map;
	int fd;

	looked = true;
	if (!path || !is_meant())
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	map = (void *)syscall(SYS_mmap, NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
			      fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	control = map;
	part = &control->parts[!atomic_compare_exchange_strong(&control->pid, &nobody,
							       (uint64_t)getpid())];
	pthread_atfork(NULL, NULL, in_child);
}

/* Who called, as far as the stack shows it: words on it that lie in the program's own text. */
static void note_callers(struct part *mine)
{
	const uintptr_t *stack = __builtin_frame_address(0);
	Dl_info program, found;
	unsigned count = 0;

	if (!dladdr((const void *)getauxval(AT_ENTRY), &program))
		return;
	for (unsigned i = 0; i < STACK_LOOK && count < FRAMES; i++)
		if (stack[i] > (uintptr_t)program.dli_fbase &&
		    dladdr((const void *)stack[i], &found) && found.dli_fbase == program.dli_fbase)
			mine->where[count++] = stack[i] - (uintptr_t)program.dli_fbase;
}

/* Counts one allocation; true: it is to fail. */
static bool fails(void)
{
	uint64_t number, at;

	if (inside)
		return false;
	inside = true;
	if (!looked)
		look();
	inside = false;
	if (!part)
		return false;
	number = atomic_fetch_add(&part->calls, 1) + 1;
	at = part->at;
	if (!at || number < at || (number > at && !part->sticky))
		return false;
	inside = true;
	if (atomic_fetch_add(&part->failed, 1) == 0)
		note_callers(part);
	inside = false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

/* Of size 0 it gives memory back. */
void *realloc(void *old, size_t size)
{
	return (size || !old) && fails() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
	void *memory = memalign(alignment, size);

	if (!memory)
		return ENOMEM;
	*result = memory;
	return 0;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (fails())
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}
