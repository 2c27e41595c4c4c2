/*
 * Forgets refresh tokens that ran out a day ago, a little at a time. Several
 * workers may do it at once: each takes rows that no other has. It must never
 * touch a token that could still be used or whose reuse must still be seen.
 */
#include "auth/janitor.h"

#include "auth/auth.h"
#include "io/entropy.h"
#include "io/log.h"
#include "io/loop.h"

#define ROUND_MS 600000u /* between two rounds, and up to as much again */
#define AGAIN_MS 1000u /* a round that found a full batch goes on */
#define BATCH 1000
#define DEADLINE_MS 2000u

static struct loop_timer timer;
static bool running;

static void round_begin(struct loop_timer *fired, void *owner);

/* Workers that start together do not stay together. */
static uint32_t
pause_ms(void)
{
	uint16_t random;

	entropy_fill(&random, sizeof(random));
	return (ROUND_MS + (uint32_t)random * (ROUND_MS / UINT16_MAX));
}

static void
round_end(void *owner, const struct pg_answer *answer)
{
	int64_t gone = 0;

	(void)owner;
	if (!running)
		return;
	if (answer->status == PG_DONE)
		gone = pg_int(answer->rows, 0, 0);
	else
		log_event(LOG_LEVEL_WARNING, "auth: tokens were not purged",
		    LOG_TEXT("sqlstate", answer->sqlstate));
	loop_timer_set(
	    &timer, gone == BATCH ? AGAIN_MS : pause_ms(), round_begin, NULL);
}

static void
round_begin(struct loop_timer *fired, void *owner)
{
	struct pg_params params;

	(void)fired;
	(void)owner;
	pg_params_init(&params);
	pg_put_int4(&params, BATCH);
	pg_call(auth_pool(), STATEMENT_TOKENS_PURGE, &params, false,
	    DEADLINE_MS, round_end, NULL);
}

void
janitor_start(void)
{
	running = true;
	loop_timer_set(&timer, pause_ms(), round_begin, NULL);
}

void
janitor_stop(void)
{
	running = false;
	loop_timer_clear(&timer);
}
