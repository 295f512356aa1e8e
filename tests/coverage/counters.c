/* SPDX-License-Identifier: MIT */
/* Coverage of programs that end by _exit, exec or SIGKILL, share memory with their children, drop
 * rights, confine themselves or change roots: such never come to write what they have counted. So
 * the counters are no memory of the process: before main, and before anything of the program runs,
 * their pages (counters.ld) are replaced by those of a file that all processes of this program
 * share, and each count is there at once.
 *
 * The file is COUNTERS_FOLDER/BUILD-ID. Where it cannot be had, the process counts for nobody. A
 * program started with MUSTER_COVERAGE_WRITE set does nothing but add what the file holds to the
 * .gcda files beside the objects.
 *
 * Linked into coverage builds only; makes system calls only, so that a library that counts or fails
 * the program's calls sees none of these, and takes no descriptor for longer than a mapping takes.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct gcov_info;
void __gcov_init(struct gcov_info *info);
void __gcov_dump(void);

extern const struct gcov_info *const __start_gcov_info[];
extern const struct gcov_info *const __stop_gcov_info[];
extern char counters_begin[];
extern char counters_end[];

/* The build id, which the linker puts into a note of the program, in hexadecimal behind the folder.
 */
static int find_id(struct dl_phdr_info *object, size_t size, void *data)
{
	char *out = data;

	(void)size;
	for (unsigned i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		const char *at = (const char *)(object->dlpi_addr + segment->p_vaddr);
		const char *end = at + segment->p_memsz;

		while (segment->p_type == PT_NOTE && at < end) {
			const ElfW(Nhdr) *note = (const void *)at;
			const unsigned char *name = (const void *)(note + 1);
			const unsigned char *id = name + (note->n_namesz + 3) / 4 * 4;

			for (unsigned k = 0; note->n_type == NT_GNU_BUILD_ID &&
					     note->n_namesz == 4 && k < note->n_descsz;
			     k++) {
				*out++ = "0123456789abcdef"[id[k] >> 4];
				*out++ = "0123456789abcdef"[id[k] & 15];
			}
			at = (const char *)id + (note->n_descsz + 3) / 4 * 4;
		}
	}
	*out = 0;
	return 1; /* the first object is the program */
}

/* Counters that are in the file already stay. */
static void share_counters(int how)
{
	char path[sizeof(COUNTERS_FOLDER) + 64] = COUNTERS_FOLDER "/";
	size_t size = (size_t)(counters_end - counters_begin);
	long fd;

	dl_iterate_phdr(find_id, path + sizeof(COUNTERS_FOLDER));
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return;
	syscall(SYS_fchmod, fd, 0666); /* for those who run it as somebody else */
	if (syscall(SYS_ftruncate, fd, size) == 0)
		syscall(SYS_mmap, counters_begin, size, PROT_READ | PROT_WRITE, how | MAP_FIXED, fd,
			0);
	syscall(SYS_close, fd);
}

__attribute__((constructor(101))) static void begin(void)
{
	int writes = getenv("MUSTER_COVERAGE_WRITE") != NULL;

	share_counters(writes ? MAP_PRIVATE : MAP_SHARED);
	if (!writes)
		return;
	for (const struct gcov_info *const *info = __start_gcov_info; info < __stop_gcov_info;
	     info++)
		__gcov_init((struct gcov_info *)(uintptr_t)*info);
	__gcov_dump();
	_exit(0);
}
