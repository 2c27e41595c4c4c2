/*
 * A plain fuzz driver: breeds inputs from a target's seeds and words for some
 * seconds, always the same ones for the same seed of chance.
 *
 *   fuzz-json [seconds [seed]]     1 second and a seed from the clock
 *   fuzz-json FILE...              replays inputs
 *
 * An input that breaks something is on stderr in hexadecimal with its seed.
 * It must not do more than the target's promises: it is no coverage guide.
 */
#include "fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX 8192
#define MUTATIONS_MAX 8
#define ROUND 256 /* inputs between two looks at the clock */

static uint64_t chance_state;
static uint64_t chance_seed;
static uint8_t input[INPUT_MAX];
static size_t input_length;

static uint64_t
chance(uint64_t below)
{
	/* splitmix64 */
	uint64_t z = (chance_state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return ((z ^ (z >> 31)) % below);
}

static void
tell_input(void)
{
	fprintf(stderr, "seed %llu, input of %zu bytes:\n",
	    (unsigned long long)chance_seed, input_length);
	for (size_t i = 0; i < input_length; i++)
		fprintf(stderr, "%02x", input[i]);
	fprintf(stderr, "\n");
}

_Noreturn void
fuzz_broken(const char *file, int line, const char *promise)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
	abort();
}

static void
on_abort(int signal_number)
{
	tell_input();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static size_t
count(const char *const *texts)
{
	size_t n = 0;

	while (texts[n] != NULL)
		n++;
	return (n);
}

static void
insert(size_t at, const void *bytes, size_t length)
{
	if (length > INPUT_MAX - input_length)
		length = INPUT_MAX - input_length;
	memmove(input + at + length, input + at, input_length - at);
	memcpy(input + at, bytes, length);
	input_length += length;
}

static void
drop(size_t at, size_t length)
{
	memmove(input + at, input + at + length, input_length - at - length);
	input_length -= length;
}

static void
mutate(void)
{
	static const uint8_t edges[] = { 0, 1, 0x1f, ' ', '"', '\\', '0', '9',
		'-', 0x7f, 0x80, 0xc0, 0xed, 0xf5, 0xff };
	size_t at = input_length ? chance(input_length) : 0, length;
	uint8_t chunk[64];

	switch (chance(7)) {
	case 0:
		if (input_length > 0)
			input[at] ^= (uint8_t)(1u << chance(8));
		break;
	case 1:
		if (input_length > 0)
			input[at] = edges[chance(sizeof(edges))];
		break;
	case 2:
		insert(at, &edges[chance(sizeof(edges))], 1);
		break;
	case 3:
		length = chance(16) + 1;
		if (length <= input_length - at)
			drop(at, length);
		break;
	case 4:
		length = chance(sizeof(chunk)) + 1;
		if (length <= input_length - at) {
			memcpy(chunk, input + at, length);
			insert(chance(input_length + 1), chunk, length);
		}
		break;
	case 5:
		if (count(fuzz_words) > 0) {
			const char *word =
			    fuzz_words[chance(count(fuzz_words))];
			insert(at, word, strlen(word));
		}
		break;
	default:
		input_length = at;
		break;
	}
}

/* The target gets its own copy of exactly that size: a step past the end is
 * then a step out of the heap block, which the sanitizer sees. */
static void
try_input(void)
{
	uint8_t *copy = malloc(input_length + (input_length == 0));

	if (copy == NULL)
		abort();
	memcpy(copy, input, input_length);
	LLVMFuzzerTestOneInput(copy, input_length);
	free(copy);
}

static void
breed(void)
{
	const char *seed = fuzz_seeds[chance(count(fuzz_seeds))];
	uint64_t mutations = chance(MUTATIONS_MAX + 1);

	input_length = strlen(seed);
	if (input_length > INPUT_MAX)
		input_length = INPUT_MAX;
	memcpy(input, seed, input_length);
	while (mutations-- > 0)
		mutate();
	try_input();
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static void
replay(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		fprintf(stderr, "cannot open %s\n", path);
		exit(2);
	}
	input_length = fread(input, 1, sizeof(input), file);
	fclose(file);
	try_input();
}

int
main(int argc, char **argv)
{
	uint64_t until_ms, tried = 0;
	unsigned long seconds = 1;

	signal(SIGABRT, on_abort);
	if (argc > 1 && strspn(argv[1], "0123456789") != strlen(argv[1])) {
		for (int i = 1; i < argc; i++)
			replay(argv[i]);
		return (0);
	}
	chance_seed = (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
	if (argc > 1)
		seconds = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		chance_seed = strtoull(argv[2], NULL, 10);
	chance_state = chance_seed;
	printf("seed %llu\n", (unsigned long long)chance_seed);
	fflush(stdout);
	until_ms = now_ms() + seconds * 1000;
	while (now_ms() < until_ms) {
		for (int i = 0; i < ROUND; i++)
			breed();
		tried += ROUND;
	}
	printf("%llu inputs\n", (unsigned long long)tried);
	return (0);
}
