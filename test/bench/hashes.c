/*
 * Argon2id by the library's own call on plain threads: what the machine can
 * do when nothing is around it. ./onegate bench login compares with this.
 *
 * hashes -t THREADS -m MEMORY_KIB -p PASSES -d SECONDS
 */
#include <argon2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64

static struct {
	unsigned threads, memory_kib, passes, seconds;
} settings = { 2, 19456, 2, 5 };

static atomic_bool stopping;
static atomic_ulong hashes;

static double
now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

static void *
hash_on(void *unused)
{
	static const char password[] = "correct horse battery";
	static const char salt[] = "somesaltsomesalt";
	unsigned char hash[32];

	(void)unused;
	while (!stopping) {
		if (argon2id_hash_raw(settings.passes, settings.memory_kib, 1,
			password, sizeof(password) - 1, salt, sizeof(salt) - 1,
			hash, sizeof(hash)) != ARGON2_OK)
			abort();
		hashes++;
	}
	return (NULL);
}

static unsigned
number(const char *text)
{
	return ((unsigned)strtoul(text, NULL, 10));
}

static void
settings_read(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "t:m:p:d:")) != -1)
		switch (option) {
		case 't':
			settings.threads = number(optarg);
			break;
		case 'm':
			settings.memory_kib = number(optarg);
			break;
		case 'p':
			settings.passes = number(optarg);
			break;
		case 'd':
			settings.seconds = number(optarg);
			break;
		default:
			exit(2);
		}
	if (settings.threads < 1 || settings.threads > THREADS_MAX)
		exit(2);
}

int
main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	double began, took;

	settings_read(argc, argv);
	began = now_s();
	for (unsigned i = 0; i < settings.threads; i++)
		if (pthread_create(&threads[i], NULL, hash_on, NULL) != 0)
			abort();
	(void)sleep(settings.seconds);
	stopping = true;
	for (unsigned i = 0; i < settings.threads; i++)
		(void)pthread_join(threads[i], NULL);
	took = now_s() - began;
	printf("{\"hashes\":%lu,\"seconds\":%.3f,\"per_second\":%.2f}\n",
	    hashes, took, (double)hashes / took);
	return (0);
}
