/* SPDX-License-Identifier: MIT */
/*
 * Whether there is a GPU of NVIDIA that a program can use: asks the driver, and runs a small kernel
 * whose result is compared. gpu-check(1) tells the options and exit codes.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cuda_runtime.h>

#include "gpu_codes.h"

#ifndef GPU_ARCHS
#define GPU_ARCHS "?" /* what nvcc was told, for messages */
#endif
#ifndef VERSION
#define VERSION "unknown"
#endif

#define DEVICES_MAX 64
#define COUNT       (1u << 20) /* numbers that the kernel works on */
#define THREADS     256u       /* in a block; divides COUNT */

struct options {
	int major, minor;    /* required; 0.0: any */
	uint64_t min_memory; /* bytes that are to be free */
	int device;          /* -1: the first that is good */
	bool all;            /* each has to be good */
	bool json;
	unsigned timeout; /* ms */
};

struct device {
	int index;
	int code; /* enum gpu_code */
	cudaDeviceProp about;
	bool known;         /* `about` is filled */
	size_t free, total; /* bytes; total 0: not known */
	const char *error;  /* what the CUDA runtime says; NULL */
};

struct findings {
	int code;
	const char *error;
	int driver, runtime; /* CUDA versions, 1000 * major + 10 * minor; driver 0: there is none */
	char version[32];    /* of the kernel's driver; empty: not known */
	int count;           /* of devices that were looked at */
	struct device devices[DEVICES_MAX];
};

/* ---- the command line ---- */

static const char help[] =
	"usage: gpu-check [OPTIONS]\n"
	"Exits with 0 when there is a GPU of NVIDIA that computes: asks the driver, runs a kernel "
	"and\n"
	"compares its result.\n"
	"\n"
	"  -r, --require any|X.Y  compute capability: X the same, Y or more (default any)\n"
	"  -m, --min-memory SIZE  so much of its memory is free (1048576, 64K, 512M, 16G)\n"
	"  -d, --device N         this one (default: the first that is good)\n"
	"  -a, --all              each of them\n"
	"  -t, --timeout TIME     give up after this time (250ms, 10s, 2m; default 30s)\n"
	"  -j, --json             one JSON object on the standard output\n"
	"  -h, --help             this\n"
	"  -V, --version          the version\n"
	"\n"
	"Exit codes:\n";

static void print_help(void)
{
	fputs(help, stdout);
	for (int code = 0; code < 256; code++)
		if (gpu_code_text(code))
			printf("  %2d  %s\n", code, gpu_code_text(code));
}

__attribute__((format(printf, 1, 2), noreturn)) static void wrong_use(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("gpu-check: ", stderr);
	vfprintf(stderr, format, args);
	fputs("; try --help\n", stderr);
	va_end(args);
	exit(GPU_USAGE);
}

/* A number and its unit; false: no number, none of these units, or more than `most` of the first.
 */
struct unit {
	const char *name;
	uint64_t factor;
};

static bool parse_amount(const char *text, const struct unit *units, uint64_t most, uint64_t *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	for (; units->name; units++) {
		if (strcmp(end, units->name) != 0)
			continue;
		if (errno || *out > most / units->factor)
			return false;
		*out *= units->factor;
		return true;
	}
	return false;
}

static bool parse_capability(const char *text, int *major, int *minor)
{
	int used = 0;

	if (strcmp(text, GPU_ANY) == 0)
		return true;
	if (strspn(text, "0123456789.") != strlen(text) || *text == '.')
		return false;
	return sscanf(text, "%3d.%1d%n", major, minor, &used) == 2 && !text[used] && *major > 0;
}

static void take_option(struct options *o, int option, const char *value)
{
	static const struct unit sizes[] = {{"", 1},
					    {"K", UINT64_C(1) << 10},
					    {"M", UINT64_C(1) << 20},
					    {"G", UINT64_C(1) << 30},
					    {NULL, 0}};
	static const struct unit times[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
	static const struct unit plain[] = {{"", 1}, {NULL, 0}};
	uint64_t number = 0;

	switch (option) {
	case 'r':
		if (!parse_capability(value, &o->major, &o->minor))
			wrong_use("--require \"%s\": expected any, or a compute capability such as "
				  "8.9",
				  value);
		break;
	case 'm':
		if (!parse_amount(value, sizes, UINT64_MAX, &o->min_memory))
			wrong_use("--min-memory \"%s\": expected a size such as 64K, 512M or 16G",
				  value);
		break;
	case 'd':
		if (!parse_amount(value, plain, DEVICES_MAX - 1, &number))
			wrong_use("--device \"%s\": expected a number from 0 to %d", value,
				  DEVICES_MAX - 1);
		o->device = (int)number;
		break;
	case 't':
		if (!parse_amount(value, times, 86400000, &number) || !number)
			wrong_use("--timeout \"%s\": expected a duration such as 250ms, 10s or 2m, "
				  "more than 0 and "
				  "at most 24h",
				  value);
		o->timeout = (unsigned)number;
		break;
	case 'a':
		o->all = true;
		break;
	case 'j':
		o->json = true;
		break;
	}
}

static struct options read_options(int argc, char **argv)
{
	static const struct option names[] = {{"require", required_argument, NULL, 'r'},
					      {"min-memory", required_argument, NULL, 'm'},
					      {"device", required_argument, NULL, 'd'},
					      {"all", no_argument, NULL, 'a'},
					      {"timeout", required_argument, NULL, 't'},
					      {"json", no_argument, NULL, 'j'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'V'},
					      {NULL, 0, NULL, 0}};
	struct options o = {0, 0, 0, -1, false, false, 30000};
	int option;

	while ((option = getopt_long(argc, argv, "r:m:d:at:jhV", names, NULL)) != -1) {
		if (option == '?')
			exit(GPU_USAGE); /* getopt has said why */
		if (option == 'h' || option == 'V') {
			if (option == 'h')
				print_help();
			else
				puts("gpu-check " VERSION " (for " GPU_ARCHS ")");
			exit(GPU_OK);
		}
		take_option(&o, option, optarg);
	}
	if (optind < argc)
		wrong_use("\"%s\": expected options only", argv[optind]);
	if (o.all && o.device >= 0)
		wrong_use("--all and --device exclude each other");
	return o;
}

/* ---- the kernel ---- */

/* Integers, and floats that are exact: the same on each processor. */
__host__ __device__ static uint32_t mixed(uint32_t neighbour, uint32_t at)
{
	return neighbour * 2654435761u + at + (uint32_t)(3.0f * (float)(neighbour & 0xffff) + 1.0f);
}

/* Each takes its neighbour's number, through the memory that a block shares. */
__global__ void mix(const uint32_t *in, uint32_t *out, uint32_t count)
{
	__shared__ uint32_t tile[THREADS];
	uint32_t at = blockIdx.x * blockDim.x + threadIdx.x;

	tile[threadIdx.x] = at < count ? in[at] : 0;
	__syncthreads();
	if (at < count)
		out[at] = mixed(tile[threadIdx.x ^ 1], at);
}

static cudaError_t compute(const uint32_t *in, uint32_t *out)
{
	uint32_t *buffers[2] = {NULL, NULL}, count = COUNT;
	void *args[] = {&buffers[0], &buffers[1], &count};
	size_t size = COUNT * sizeof(*in);
	cudaError_t rc = cudaSuccess;

	for (int i = 0; i < 2 && !rc; i++)
		rc = cudaMalloc((void **)&buffers[i], size);
	if (!rc)
		rc = cudaMemcpy(buffers[0], in, size, cudaMemcpyHostToDevice);
	if (!rc)
		rc = cudaMemset(buffers[1], 0, size);
	if (!rc)
		rc = cudaLaunchKernel((const void *)mix, dim3(COUNT / THREADS), dim3(THREADS), args,
				      0, NULL);
	if (!rc)
		rc = cudaDeviceSynchronize();
	if (!rc)
		rc = cudaMemcpy(out, buffers[1], size, cudaMemcpyDeviceToHost);
	for (int i = 0; i < 2; i++)
		if (buffers[i])
			cudaFree(buffers[i]);
	return rc;
}

static bool is_right(const uint32_t *in, const uint32_t *out)
{
	for (uint32_t at = 0; at < COUNT; at++)
		if (out[at] != mixed(in[at ^ 1], at))
			return false;
	return true;
}

/* ---- what is found ---- */

/* The exit code for what the CUDA runtime says. */
static int code_of(cudaError_t error, int driver)
{
	switch (error) {
	case cudaSuccess:
		return GPU_OK;
	case cudaErrorInsufficientDriver:
		return driver ? GPU_OLD_DRIVER : GPU_NO_DRIVER;
	case cudaErrorStubLibrary:
		return GPU_NO_DRIVER;
	case cudaErrorSystemDriverMismatch:
	case cudaErrorCompatNotSupportedOnDevice:
	case cudaErrorCallRequiresNewerDriver:
		return GPU_OLD_DRIVER;
	case cudaErrorNoDevice:
	case cudaErrorInvalidDevice:
	case cudaErrorDevicesUnavailable:
		return GPU_NO_DEVICE;
	case cudaErrorNoKernelImageForDevice:
	case cudaErrorInvalidDeviceFunction:
	case cudaErrorUnsupportedPtxVersion:
	case cudaErrorInvalidKernelImage:
		return GPU_ARCH;
	case cudaErrorMemoryAllocation:
		return GPU_MEMORY;
	default:
		return GPU_FAULT;
	}
}

/* A program that is compiled for X.Y runs on GPUs of the same X and that Y or more. */
static bool is_capable(const struct options *o, const cudaDeviceProp *about)
{
	return !o->major || (about->major == o->major && about->minor >= o->minor);
}

static int run_kernel(struct device *device, int driver)
{
	uint32_t *numbers = (uint32_t *)malloc(2 * COUNT * sizeof(*numbers));
	cudaError_t rc;
	int code;

	if (!numbers) {
		device->error = "no memory on the host";
		return GPU_FAULT;
	}
	for (uint32_t at = 0; at < COUNT; at++)
		numbers[at] = at * 747796405u + 1;
	rc = compute(numbers, numbers + COUNT);
	code = code_of(rc, driver);
	if (rc)
		device->error = cudaGetErrorString(rc);
	else if (!is_right(numbers, numbers + COUNT))
		code = GPU_WRONG;
	free(numbers);
	return code;
}

static int check_device(const struct options *o, struct device *device, int driver)
{
	cudaFuncAttributes kernel;
	cudaError_t rc = cudaGetDeviceProperties(&device->about, device->index);

	device->known = !rc;
	if (!rc && !is_capable(o, &device->about))
		return GPU_CAPABILITY;
	if (!rc)
		rc = cudaSetDevice(device->index);
	if (!rc)
		rc = cudaMemGetInfo(&device->free, &device->total);
	if (!rc)
		rc = cudaFuncGetAttributes(&kernel, (const void *)mix);
	if (rc) {
		device->error = cudaGetErrorString(rc);
		return code_of(rc, driver);
	}
	return device->free < o->min_memory ? GPU_MEMORY : run_kernel(device, driver);
}

static void read_version(struct findings *f)
{
	FILE *file = fopen("/sys/module/nvidia/version", "re");

	if (!file)
		return;
	if (fgets(f->version, sizeof(f->version), file))
		f->version[strcspn(f->version, "\n")] = '\0';
	fclose(file);
}

/* One is enough, unless all are asked for; which failure counts when none is good: that of the one
 * that came furthest. */
static void judge(const struct options *o, struct findings *f)
{
	static const int order[] = {GPU_CAPABILITY, GPU_NO_DEVICE, GPU_ARCH,
				    GPU_MEMORY,     GPU_FAULT,     GPU_WRONG};

	for (int i = 0; i < f->count; i++)
		if ((f->devices[i].code == GPU_OK) != o->all) {
			f->code = f->devices[i].code;
			return;
		}
	f->code = o->all ? GPU_OK : f->devices[0].code;
	for (size_t rank = 0; rank < sizeof(order) / sizeof(order[0]) && !o->all; rank++)
		for (int i = 0; i < f->count; i++)
			if (f->devices[i].code == order[rank])
				f->code = order[rank];
}

static void look(const struct options *o, struct findings *f)
{
	int count = 0, first = o->device < 0 ? 0 : o->device;
	cudaError_t rc;

	cudaRuntimeGetVersion(&f->runtime);
	cudaDriverGetVersion(&f->driver); /* 0 without a driver */
	read_version(f);
	rc = cudaGetDeviceCount(&count);
	f->code = code_of(rc, f->driver);
	if (rc)
		f->error = cudaGetErrorString(rc);
	else if (first >= count)
		f->code = GPU_NO_DEVICE;
	if (f->code != GPU_OK)
		return;
	if (o->device >= 0)
		count = o->device + 1;
	for (int i = first; i < count && f->count < DEVICES_MAX; i++) {
		struct device *device = &f->devices[f->count++];

		device->index = i;
		device->code = check_device(o, device, f->driver);
		if (device->code == GPU_OK && !o->all)
			break;
	}
	judge(o, f);
}

/* ---- words ---- */

static void print_version(const char *before, int version)
{
	printf("%s%d.%d", before, version / 1000, version % 1000 / 10);
}

static void print_device(const struct options *o, const struct findings *f,
			 const struct device *device)
{
	printf("GPU %d", device->index);
	if (device->known)
		printf(" (%s, compute capability %d.%d)", device->about.name, device->about.major,
		       device->about.minor);
	if (device->code == GPU_CAPABILITY)
		printf(": not as required, %d.%d", o->major, o->minor);
	else
		printf(": %s", gpu_code_text(device->code));
	if (device->code == GPU_ARCH)
		printf(", only for " GPU_ARCHS);
	if (device->error)
		printf(": %s", device->error);
	if (device->total)
		printf("; %zu of %zu MiB free", device->free >> 20, device->total >> 20);
	print_version("; CUDA ", f->runtime);
	print_version(", driver for ", f->driver);
	printf("%s%s%s\n", *f->version ? " (" : "", f->version, *f->version ? ")" : "");
}

static void print_all(const struct options *o, const struct findings *f)
{
	for (int i = 0; i < f->count; i++)
		print_device(o, f, &f->devices[i]);
	if (f->count)
		return;
	fputs(gpu_code_text(f->code), stdout);
	if (f->code == GPU_OLD_DRIVER) {
		print_version(": it is for CUDA ", f->driver);
		print_version(", this program needs ", f->runtime);
	}
	if (f->code == GPU_NO_DEVICE && o->device >= 0)
		printf(" of number %d", o->device);
	printf("%s%s\n", f->error ? ": " : "", f->error ? f->error : "");
}

/* ---- JSON ---- */

static void json_text(const char *key, const char *text)
{
	printf("\"%s\":", key);
	if (!text || !*text) {
		fputs("null", stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else
			putchar((unsigned char)*text < ' ' || (unsigned char)*text > '~' ? '?'
											 : *text);
	}
	putchar('"');
}

static void json_version(const char *key, int version)
{
	char text[16];

	snprintf(text, sizeof(text), "%d.%d", version / 1000, version % 1000 / 10);
	json_text(key, version ? text : NULL);
}

static void json_verdict(int code, const char *error)
{
	printf("\"code\":%d,", code);
	json_text("verdict", gpu_code_text(code));
	putchar(',');
	json_text("error", error);
}

static void json_bytes(const char *key, const struct device *device, size_t bytes)
{
	if (device->total)
		printf(",\"%s\":%zu", key, bytes);
	else
		printf(",\"%s\":null", key);
}

/* As nvidia-smi(1) writes it. */
static const char *uuid_of(const struct device *device, char text[48])
{
	const unsigned char *b = (const unsigned char *)device->about.uuid.bytes;
	size_t used = (size_t)snprintf(text, 48, "GPU-");

	for (int i = 0; i < 16; i++)
		used += (size_t)snprintf(text + used, 48 - used, "%s%02x",
					 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	return text;
}

static void json_device(const struct device *device)
{
	char capability[16], uuid[48];

	snprintf(capability, sizeof(capability), "%d.%d", device->about.major, device->about.minor);
	printf("{\"index\":%d,", device->index);
	json_verdict(device->code, device->error);
	putchar(',');
	json_text("name", device->known ? device->about.name : NULL);
	putchar(',');
	json_text("uuid", device->known ? uuid_of(device, uuid) : NULL);
	putchar(',');
	json_text("compute_capability", device->known ? capability : NULL);
	json_bytes("memory_free_bytes", device, device->free);
	json_bytes("memory_total_bytes", device, device->total);
	putchar('}');
}

static void print_json(const struct findings *f)
{
	putchar('{');
	json_verdict(f->code, f->error);
	putchar(',');
	json_version("runtime_cuda_version", f->runtime);
	putchar(',');
	json_version("driver_cuda_version", f->driver);
	putchar(',');
	json_text("driver", f->version);
	putchar(',');
	json_text("compiled_for", GPU_ARCHS);
	fputs(",\"gpus\":[", stdout);
	for (int i = 0; i < f->count; i++) {
		fputs(i ? "," : "", stdout);
		json_device(&f->devices[i]);
	}
	puts("]}");
}

static void report(const struct options *o, const struct findings *f)
{
	if (o->json)
		print_json(f);
	else
		print_all(o, f);
	fflush(stdout);
}

/* ---- within its time ---- */

/* A driver that hangs holds whoever asks it, at times uninterruptibly: so somebody else asks. The
 * code, and what is to be said about it. */
static int ask(const struct options *o, struct findings *f)
{
	struct timespec time = {(time_t)(o->timeout / 1000), (long)(o->timeout % 1000) * 1000000};
	struct sigaction heard = {};
	sigset_t child_ends;
	pid_t pid, parent = getpid();
	int signo, status = 0;

	sigemptyset(&child_ends);
	sigaddset(&child_ends, SIGCHLD);
	heard.sa_handler = SIG_DFL; /* ignored, nobody would learn how the child ended */
	heard.sa_flags = SA_NOCLDSTOP;
	sigaction(SIGCHLD, &heard, NULL);
	sigprocmask(SIG_BLOCK, &child_ends, NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(GPU_FAULT); /* it ended before that was in force */
		look(o, f);
		report(o, f);
		_exit(f->code);
	}
	if (pid < 0) {
		f->error = strerror(errno);
		return GPU_FAULT;
	}
	do
		signo = sigtimedwait(&child_ends, NULL, &time);
	while (signo < 0 && errno == EINTR);
	if (signo < 0) {
		kill(pid,
		     SIGKILL); /* may do nothing while it is in the driver: it is not waited for */
		return GPU_TIMEOUT;
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status))
		exit(WEXITSTATUS(status)); /* it has said all */
	f->error = strsignal(WTERMSIG(status));
	return GPU_FAULT;
}

int main(int argc, char **argv)
{
	static struct findings findings;
	struct options options = read_options(argc, argv);

	findings.code = ask(&options, &findings);
	report(&options, &findings);
	return findings.code;
}
