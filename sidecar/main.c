/* SPDX-License-Identifier: MIT */
#include "sidecar.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cgroup.h"
#include "channel.h"
#include "clock.h"
#include "config.h"
#include "confine.h"
#include "endpoint.h"
#include "events.h"
#include "exporter.h"
#include "fd.h"
#include "feed.h"
#include "gpu.h"
#include "keys.h"
#include "live.h"
#include "local.h"
#include "log.h"
#include "loop.h"
#include "news.h"
#include "pace.h"
#include "peers.h"
#include "probe.h"
#include "probe_link.h"
#include "processes.h"
#include "reach.h"
#include "resolve.h"
#include "server.h"
#include "snapshot.h"
#include "stall.h"
#include "str.h"
#include "version.h"

#define EXIT_CANNOT 1  /* a port in use, no descriptors ... */
#define EXIT_USAGE  2  /* wrong use */
#define EXIT_FAULT  70 /* a fault of this program or of a library */
#define EXIT_CONFIG 78 /* a bad configuration */

#define DEFAULT_LISTEN "127.0.0.1:9180"
#define TARGETS_MAX    1024 /* to wait for */

static const char usage[] =
	"usage: muster-sidecar [OPTION...]                serve until told to end\n"
	"       muster-sidecar [OPTION...] COMMAND ...    do one thing and end\n"
	"  resolve [NAME]                  where addresses lead; --json, --explain\n"
	"  probe TARGET                    one check and its phases; --json\n"
	"  wait TARGET... [-- PROGRAM...]  until all answer, then run the program\n"
	"  health [URL]                    exit code 0 or 1; --live, --ready, --startup\n"
	"TARGET is [tcp://]HOST:PORT, http(s)://..., grpc(s)://HOST:PORT[/SERVICE] or\n"
	"address:NAME. Each takes --timeout D [5s; wait: none], wait --interval D.\n"
	"  -c, --config FILE       alone: the external services of FILE; repeatable\n"
	"      --run-dir DIR       of muster-init [$MUSTER_RUN_DIR, /run/muster]\n"
	"      --host NAME         this host's name in answers\n"
	"      --peer NAME[/D]=URL a sidecar to ask every D [10s]; repeatable\n"
	"      --gpu auto|yes|no   whether to look for NVIDIA GPUs [auto]\n"
	"      --proc-root DIR     where processes are looked up [/proc]\n"
	"      --cgroup-root DIR   where cgroups are looked up [/sys/fs/cgroup]\n"
	"      --connections N     checks at a time [10]; --connections-per-host N [2]\n"
	"      --listen HOST:PORT  serve HTTP here [127.0.0.1:9180]; repeatable\n"
	"      --dns A:P           answer names of addresses here; repeatable\n"
	"      --dns-upstream A:P  whom to ask other names; no: nobody [resolv.conf]\n"
	"      --dns-zone NAME     below which the names stand, too [muster]\n"
	"      --forward NAME=A:P  pass connections on to an address; repeatable\n"
	"  -v, --verbose           say more\n"
	"  -h, --help              -V, --version\n";

enum {
	OPTION_RUN_DIR = 256,
	OPTION_LISTEN,
	OPTION_HOST,
	OPTION_PROC_ROOT,
	OPTION_CGROUP_ROOT,
	OPTION_TIMEOUT,
	OPTION_INTERVAL,
	OPTION_CONNECTIONS,
	OPTION_CONNECTIONS_PER_HOST,
	OPTION_LIVE,
	OPTION_READY,
	OPTION_STARTUP,
	OPTION_JSON,
	OPTION_EXPLAIN,
	OPTION_DNS,
	OPTION_DNS_UPSTREAM,
	OPTION_DNS_ZONE,
	OPTION_FORWARD,
	OPTION_GPU,
	OPTION_PEER
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"run-dir", required_argument, NULL, OPTION_RUN_DIR},
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"host", required_argument, NULL, OPTION_HOST},
	{"proc-root", required_argument, NULL, OPTION_PROC_ROOT},
	{"cgroup-root", required_argument, NULL, OPTION_CGROUP_ROOT},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"interval", required_argument, NULL, OPTION_INTERVAL},
	{"connections", required_argument, NULL, OPTION_CONNECTIONS},
	{"connections-per-host", required_argument, NULL, OPTION_CONNECTIONS_PER_HOST},
	{"live", no_argument, NULL, OPTION_LIVE},
	{"ready", no_argument, NULL, OPTION_READY},
	{"startup", no_argument, NULL, OPTION_STARTUP},
	{"json", no_argument, NULL, OPTION_JSON},
	{"explain", no_argument, NULL, OPTION_EXPLAIN},
	{"dns", required_argument, NULL, OPTION_DNS},
	{"dns-upstream", required_argument, NULL, OPTION_DNS_UPSTREAM},
	{"dns-zone", required_argument, NULL, OPTION_DNS_ZONE},
	{"forward", required_argument, NULL, OPTION_FORWARD},
	{"gpu", required_argument, NULL, OPTION_GPU},
	{"peer", required_argument, NULL, OPTION_PEER},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

/* ---- the command line ---- */

/* These return -1 to go on, or the code to exit with. */
static int take_text(const char **list, unsigned most, const char *option)
{
	return offers_add(list, most, optarg, option) ? -1 : EXIT_USAGE;
}

static int take_gpu(struct options *options)
{
	for (int i = 0; key_gpus[i]; i++) {
		if (strcmp(optarg, key_gpus[i]) == 0) {
			options->gpu = i;
			return -1;
		}
	}
	log_error("--gpu: \"%s\": expected auto, yes or no", optarg);
	return EXIT_USAGE;
}

static int take_duration(const char *option, uint32_t *out)
{
	if (parse_duration(optarg, out) && *out > 0)
		return -1;
	log_error("%s: \"%s\": expected " FORM_DURATION ", more than 0", option, optarg);
	return EXIT_USAGE;
}

static int take_connections(const char *option, unsigned *out)
{
	uint64_t number;

	if (!parse_uint(optarg, CONNECTIONS_MAX, &number) || number == 0) {
		log_error("%s: \"%s\": expected a number from 1 to %d", option, optarg,
			  CONNECTIONS_MAX);
		return EXIT_USAGE;
	}
	*out = (unsigned)number;
	return -1;
}

static const char *const questions[] = {"livez", "readyz", "startupz"}; /* as the options */

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 'c':
		return take_text(options->configs, LISTEN_MAX, "-c");
	case OPTION_LISTEN:
		return take_text(options->listen, LISTEN_MAX, "--listen");
	case OPTION_PEER:
		return take_text(options->peers, PEER_OPTIONS_MAX, "--peer");
	case OPTION_DNS:
		return take_text(options->offers.dns, OFFER_DNS_MAX, "--dns");
	case OPTION_DNS_UPSTREAM:
		return take_text(options->offers.upstream, OFFER_UPSTREAM_MAX, "--dns-upstream");
	case OPTION_FORWARD:
		return take_text(options->offers.forward, OFFER_FORWARD_MAX, "--forward");
	case OPTION_RUN_DIR:
		options->run_dir = optarg;
		return -1;
	case OPTION_HOST:
		options->host = optarg;
		return -1;
	case OPTION_PROC_ROOT:
		options->proc_root = optarg;
		return -1;
	case OPTION_CGROUP_ROOT:
		options->cgroup_root = optarg;
		return -1;
	case OPTION_TIMEOUT:
		return take_duration("--timeout", &options->once.timeout_ms);
	case OPTION_INTERVAL:
		return take_duration("--interval", &options->once.interval_ms);
	case OPTION_CONNECTIONS:
		return take_connections("--connections", &options->connections);
	case OPTION_CONNECTIONS_PER_HOST:
		return take_connections("--connections-per-host", &options->connections_per_host);
	case OPTION_LIVE:
	case OPTION_READY:
	case OPTION_STARTUP:
		options->once.question = questions[option - OPTION_LIVE];
		return -1;
	case OPTION_GPU:
		return take_gpu(options);
	case OPTION_DNS_ZONE:
		options->offers.zone = optarg;
		return -1;
	case OPTION_JSON:
		options->once.json = true;
		return -1;
	case OPTION_EXPLAIN:
		options->once.explain = true;
		return -1;
	case 'v':
		log_open("muster-sidecar", LOG_DEBUG);
		return -1;
	case 'h':
		fputs(usage, stdout);
		return 0;
	case 'V':
		puts("muster-sidecar " MUSTER_VERSION);
		return 0;
	default:
		fputs("try: muster-sidecar --help\n", stderr);
		return EXIT_USAGE;
	}
}

static const struct command {
	const char *name;
	unsigned least, most; /* words behind it */
	const char *words;
	int (*run)(const struct once_options *options);
} commands[] = {
	{"resolve", 0, 1, "one name at most", once_resolve},
	{"probe", 1, 1, "one target", once_probe},
	{"wait", 1, TARGETS_MAX, "one target or more, at most 1024", once_wait},
	{"health", 0, 1, "one URL at most", once_health},
};

static const struct command *find_command(const char *word)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, word) == 0)
			return &commands[i];
	return NULL;
}

/* A word that is not an option is a command. */
static int run_command(struct options *options, char **words, unsigned count)
{
	const struct command *command = find_command(words[0]);
	char shown[URL_SHOWN];

	options->once.configs = options->configs[0] ? options->configs : NULL;
	options->once.words = (const char *const *)words + 1;
	options->once.word_count = count - 1;
	if (!command)
		log_error("\"%s\": the commands are resolve, probe, wait and health",
			  url_mask(shown, sizeof(shown), words[0]));
	else if (count - 1 < command->least || count - 1 > command->most)
		log_error("%s: takes %s, not %u", words[0], command->words, count - 1);
	else if (options->once.command && command->run != once_wait)
		log_error("%s: only wait takes a command behind --", words[0]);
	else
		return command->run(&options->once);
	fputs("try: muster-sidecar --help\n", stderr);
	return EXIT_USAGE;
}

/* What is behind -- is another program's. Returns how many words are ours. */
static int cut_command(struct options *options, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		options->once.command = i + 1 < argc ? argv + i + 1 : NULL;
		argv[i] = NULL;
		return i;
	}
	return argc;
}

static int read_options(struct options *options, int argc, char **argv)
{
	static char self[] = "muster-sidecar";
	int option, code;

	options->proc_root = "/proc";
	options->gpu = -1;
	argc = cut_command(options, argc, argv);
	argv[0] = self; /* begins getopt's messages as it does ours */
	while ((option = getopt_long(argc, argv, "c:vhV", long_options, NULL)) != -1) {
		code = take_option(options, option);
		if (code >= 0)
			return code;
	}
	return optind < argc ? run_command(options, argv + optind, (unsigned)(argc - optind)) : -1;
}

/* ---- what it becomes ---- */

/* muster-init has made it what it is to be; it only closes the doors behind itself. */
static void lock_down(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
}

static void print_errors(const struct config_errors *errors)
{
	for (unsigned i = 0; i < errors->warnings; i++)
		log_warning("%s", errors->warning[i]);
	for (unsigned i = 0; i < errors->kept; i++)
		fprintf(stderr, "%s\n", errors->text[i]);
	if (errors->total > errors->kept)
		fprintf(stderr, errors->kept ? "and %u more\n" : "%u problems: no memory to tell\n",
			errors->total - errors->kept);
}

static int read_config(struct sidecar *sidecar)
{
	struct config_source source = {
		.files = sidecar->options.configs, .environment = environ, .lenient_users = true};
	struct config_errors errors = {0};

	sidecar->config = config_load(&source, &errors);
	print_errors(&errors);
	config_errors_free(&errors);
	if (!sidecar->config || !local_check(sidecar->config) ||
	    !offers_read(&sidecar->options.offers, sidecar->config))
		return EXIT_CONFIG;
	if (!sidecar->options.host)
		sidecar->options.host = sidecar->config->name;
	if (sidecar->options.gpu < 0)
		sidecar->options.gpu = sidecar->config->sidecar.gpu;
	if (!sidecar->options.connections)
		sidecar->options.connections = sidecar->config->sidecar.connections;
	if (!sidecar->options.connections_per_host)
		sidecar->options.connections_per_host =
			sidecar->config->sidecar.connections_per_host;
	return 0;
}

/* Alone: its own page. */
static int open_alone(struct sidecar *sidecar)
{
	int code = read_config(sidecar);

	if (code)
		return code;
	sidecar->local = local_create(sidecar->loop, sidecar->config, sidecar->feed);
	sidecar->snapshot = snapshot_create_local(local_page(sidecar->local));
	sidecar->prober =
		prober_create(sidecar->loop, sidecar->resolver, local_report, sidecar->local);
	sidecar->live = live_create(sidecar->loop, sidecar->resolver, sidecar->prober, NULL, NULL);
	return 0;
}

/* Beside an init: its page, and a channel, inherited from this init or got by asking for it. */
static int open_beside(struct sidecar *sidecar)
{
	struct options *options = &sidecar->options;
	int fd = channel_descriptor();

	if (fd == -EINVAL) {
		log_error("%s=\"%s\" does not name a channel to muster-init", LINK_VARIABLE,
			  getenv(LINK_VARIABLE));
		return EXIT_USAGE;
	}
	/* an init without a runtime directory has no page, and another's would be a lie */
	if (!options->run_dir && fd < 0)
		options->run_dir = getenv("MUSTER_RUN_DIR");
	if (!options->run_dir)
		options->run_dir = fd < 0 ? RUN_DIR_DEFAULT : "";
	sidecar->snapshot = snapshot_create(options->run_dir);
	sidecar->news =
		news_create(sidecar->loop, sidecar->feed, sidecar->snapshot, options->run_dir);
	sidecar->channel = channel_create(sidecar->loop, sidecar->snapshot);
	if (fd < 0)
		sidecar->reach = reach_create(sidecar->loop, sidecar->channel, sidecar->snapshot,
					      options->run_dir);
	sidecar->prober =
		prober_create(sidecar->loop, sidecar->resolver, channel_report, sidecar->channel);
	sidecar->live = live_create(sidecar->loop, sidecar->resolver, sidecar->prober,
				    channel_answer, sidecar->channel);
	return 0;
}

static bool open_peers(struct sidecar *sidecar)
{
	const struct peers_source source = {
		.loop = sidecar->loop,
		.revision = &sidecar->revision,
		.resolver = sidecar->resolver,
		.live = sidecar->live,
		.snapshot = sidecar->snapshot,
		.host = sidecar->options.host,
		.options = sidecar->options.peers,
		.config = sidecar->config,
	};

	sidecar->peers = peers_create(&source);
	if (sidecar->peers)
		peers_on_change(sidecar->peers, peers_publish, sidecar->feed);
	return sidecar->peers != NULL;
}

/* ---- signals ---- */

static void signal_ready(void *data, int fd, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(fd, &info, sizeof(info)) == sizeof(info))
		loop_stop(data, 0);
}

static int watch_signals(struct loop *loop)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	return loop_watch(loop, fd, EPOLLIN, signal_ready, loop);
}

/* ---- open, serve ---- */

static int open_server(struct sidecar *sidecar)
{
	struct options *options = &sidecar->options;
	const char *const *listen = options->listen;

	if (!listen[0] && sidecar->config && *sidecar->config->sidecar.listen)
		listen = (const char *const *)sidecar->config->sidecar.listen;
	else if (!listen[0])
		options->listen[0] = DEFAULT_LISTEN;
	sidecar->events = events_create(sidecar);
	sidecar->exporter = exporter_create(sidecar);
	sidecar->server = server_create(sidecar);
	if (!sidecar->server) {
		log_error("the HTTP server cannot be set up");
		return EXIT_FAULT;
	}
	for (; *listen; listen++)
		if (server_listen(sidecar->server, *listen) < 0)
			return EXIT_CANNOT;
	return 0;
}

/* What the kernel has to tell of us and of the services. */
static void open_kernel(struct sidecar *sidecar)
{
	const struct options *options = &sidecar->options;

	sidecar->processes = processes_create(options->proc_root);
	sidecar->cgroup =
		cgroup_create(options->proc_root, options->cgroup_root, channel_descriptor() >= 0);
	sidecar->pace = pace_create(sidecar->cgroup);
	sidecar->stall = stall_create(sidecar->loop, sidecar->feed, &sidecar->revision,
				      options->proc_root, cgroup_pressure_dir(sidecar->cgroup));
}

static int open_all(struct sidecar *sidecar)
{
	int code;

	sidecar->begin_realtime = clock_realtime();
	sidecar->boot_realtime = sidecar->begin_realtime - clock_ns(CLOCK_BOOTTIME);
	sidecar->loop = loop_create();
	if (!sidecar->loop) {
		log_error("cannot make an event loop: %s", strerror(errno));
		return EXIT_CANNOT;
	}
	sidecar->feed = feed_create(sidecar->begin_realtime);
	open_kernel(sidecar);
	sidecar->resolver = resolver_create(sidecar->loop);
	code = sidecar->options.configs[0] ? open_alone(sidecar) : open_beside(sidecar);
	if (code)
		return code;
	prober_limit(sidecar->prober, sidecar->options.connections,
		     sidecar->options.connections_per_host);
	prober_set_pace(sidecar->prober, sidecar->pace);
	sidecar->gpus = gpu_create(sidecar);
	if (!sidecar->gpus)
		return EXIT_USAGE;
	if (!open_peers(sidecar))
		return EXIT_USAGE;
	code = open_server(sidecar);
	if (code)
		return code;
	if (!offers_open(sidecar))
		return EXIT_CANNOT;
	if (watch_signals(sidecar->loop) < 0) {
		log_error("cannot watch for signals: %s", strerror(errno));
		return EXIT_CANNOT;
	}
	return 0;
}

static void start_all(struct sidecar *sidecar)
{
	trim_begin(&sidecar->trim, sidecar->loop);
	server_start(sidecar->server);
	offers_start(sidecar);
	gpu_start(sidecar->gpus);
	peers_start(sidecar->peers);
	if (sidecar->channel)
		channel_start(sidecar->channel, sidecar->prober, sidecar->live, sidecar->peers);
	if (sidecar->reach)
		reach_start(sidecar->reach);
	else if (sidecar->channel)
		channel_open(sidecar->channel, channel_descriptor(), NULL, NULL);
	if (sidecar->local) {
		live_set_book(sidecar->live, sidecar->config->addresses, 1, false);
		local_start(sidecar->local, sidecar->prober, sidecar->live, sidecar->peers);
	}
}

static void close_all(struct sidecar *sidecar)
{
	events_stop(sidecar->events);
	server_destroy(sidecar->server);
	exporter_destroy(sidecar->exporter);
	events_destroy(sidecar->events);
	if (sidecar->news)
		news_destroy(sidecar->news);
	if (sidecar->reach)
		reach_destroy(sidecar->reach);
	offers_close(sidecar);
	gpu_destroy(sidecar->gpus);
	peers_destroy(sidecar->peers);
	live_destroy(sidecar->live);
	prober_destroy(sidecar->prober);
	stall_destroy(sidecar->stall);
	pace_destroy(sidecar->pace);
	cgroup_destroy(sidecar->cgroup);
	processes_destroy(sidecar->processes);
	resolver_destroy(sidecar->resolver);
	if (sidecar->channel)
		channel_destroy(sidecar->channel);
	if (sidecar->local)
		local_destroy(sidecar->local);
	snapshot_destroy(sidecar->snapshot);
	feed_destroy(sidecar->feed);
	free(sidecar->status_kept.body.data);
	config_free(sidecar->config);
	loop_destroy(sidecar->loop);
}

int main(int argc, char **argv)
{
	static struct sidecar sidecar;
	int code;

	fd_open_standard();
	log_open("muster-sidecar", LOG_INFO);
	code = read_options(&sidecar.options, argc, argv);
	if (code >= 0)
		return code;
	lock_down();
	code = open_all(&sidecar);
	if (code)
		return code;
	confine(&sidecar);
	start_all(&sidecar);
	code = loop_run(sidecar.loop);
	close_all(&sidecar);
	return code;
}
