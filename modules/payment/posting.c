/*
 * See posting.h. The life of a batch:
 *
 *   queue -> lane (one batch in flight) -> payment.post -> an answer each
 *
 * Refused as a whole (deadlock, a key or id that another lane has just
 * written): sent again. Refused for a reason of one item: each goes alone.
 * Answer lost: sent again with the same ids until the database says which
 * rows stand, or RECOVERY_MS have passed.
 */
#include "payment/posting.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/config.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/metrics.h"
#include "payment/post_call.h"
#include "web/worker.h"

#define LANES_MAX 16
#define BATCH_MAX 256
#define BATCH_DEADLINE_MS 5000
#define ATTEMPTS_MAX 8 /* of a batch refused as a whole */
/* Of a batch whose answer was lost: with BATCH_DEADLINE_MS less than a client
 * waits, and than the edge takes a request for late. */
#define RECOVERY_MS 4000
#define RECOVERY_PAUSE_MS 100
#define HOLD_BACK_MS 10 /* longest wait for a fuller batch */

struct lane {
	struct posting *items[BATCH_MAX];
	int count;
	int attempts;
	bool busy;
	bool lost; /* an earlier try may have been committed */
	bool alone; /* items go one by one: LEFT holds the rest */
	struct posting *left;
	uint64_t first_sent_us, sent_us;
	struct loop_timer pause;
};

static struct pg_pool *pool;
static struct lane lanes[LANES_MAX];
static int lane_count, batch_max;
static size_t queue_max;
static struct posting *queue_head, **queue_tail = &queue_head;
static size_t queue_length;
static bool pump_deferred;
static struct loop_timer hold_back;

static void lane_send(struct lane *lane);

/* -- the queue ------------------------------------------------------------ */

static struct posting *
queue_take(void)
{
	struct posting *posting = queue_head;

	queue_head = posting->next;
	if (queue_head == NULL)
		queue_tail = &queue_head;
	queue_length--;
	posting->next = NULL;
	return posting;
}

static void
lane_fill(struct lane *lane)
{
	uint64_t now = clock_monotonic_us();

	lane->count = 0;
	lane->attempts = 0;
	lane->lost = false;
	lane->alone = false;
	lane->busy = true;
	lane->first_sent_us = now;
	while (queue_head != NULL && lane->count < batch_max) {
		struct posting *posting = queue_take();

		metric_observe_us(
		    METRIC_POSTING_WAIT_SECONDS, 0, now - posting->queued_us);
		lane->items[lane->count++] = posting;
	}
	metric_observe(METRIC_POSTING_BATCH_SIZE, 0, (uint64_t)lane->count);
}

/*
 * When an idle lane may take a batch: at once while no other is on its way,
 * else when the batch would be full. Sending sooner would cut the clients into
 * many small batches, and a batch of one costs PostgreSQL a third of what a
 * batch of thirty does. What waits is sent when a lane returns; a lane that is
 * held up (by a lock, a slow disk, a lost connection) for HOLD_BACK_MS makes
 * nobody wait longer.
 */
static bool
batch_is_due(void)
{
	uint64_t held_up = clock_monotonic_us() - HOLD_BACK_MS * 1000;

	if (queue_length >= (size_t)batch_max)
		return true;
	for (int i = 0; i < lane_count; i++) {
		if (lanes[i].busy && lanes[i].attempts == 0 &&
		    lanes[i].sent_us > held_up)
			return false;
	}
	return true;
}

static void pump(void *owner);

static void
hold_back_over(struct loop_timer *timer, void *owner)
{
	(void)timer;
	pump(owner);
}

static void
pump(void *owner)
{
	(void)owner;
	pump_deferred = false;
	for (int i = 0; i < lane_count && queue_head != NULL; i++) {
		if (lanes[i].busy)
			continue;
		if (!batch_is_due()) {
			if (hold_back.next == NULL)
				loop_timer_set(&hold_back, HOLD_BACK_MS + 1,
				    hold_back_over, NULL);
			break;
		}
		lane_fill(&lanes[i]);
		lane_send(&lanes[i]);
	}
	if (queue_head == NULL)
		loop_timer_clear(&hold_back);
	metric_set(METRIC_POSTING_QUEUE, 0, (int64_t)queue_length);
}

/* All that one turn of the loop brings goes together. */
static void
pump_soon(void)
{
	if (pump_deferred)
		return;
	pump_deferred = loop_defer(pump, NULL);
	if (!pump_deferred)
		pump(NULL);
}

bool
posting_submit(struct posting *posting, posting_done_fn done, void *owner)
{
	assert(posting->amount_minor >= 0 && !uuid_is_zero(&posting->id));
	if (queue_length >= queue_max) {
		metric_add(METRIC_POSTING_TURNED_AWAY, 0, 1);
		return false;
	}
	posting->done = done;
	posting->owner = owner;
	posting->next = NULL;
	posting->queued_us = clock_monotonic_us();
	*queue_tail = posting;
	queue_tail = &posting->next;
	queue_length++;
	worker_busy(1);
	pump_soon();
	return true;
}

/* -- answers -------------------------------------------------------------- */

static void
finish(struct posting *posting)
{
	metric_add(METRIC_POSTINGS,
	    posting->error != ERROR_NONE ? 2
		: posting->replayed      ? 1
					 : 0,
	    1);
	posting->done(posting, posting->owner);
	worker_busy(-1);
}

static void
lane_end(struct lane *lane)
{
	lane->count = 0;
	lane->left = NULL;
	lane->busy = false;
	pump(NULL);
}

/* The lane's items have their answers; goes on with the rest, if any, or the
 * next batch: PostgreSQL works on it while the answers are written. */
static void
lane_finish(struct lane *lane)
{
	struct posting *items[BATCH_MAX];
	struct posting *left = lane->left;
	int count = lane->count;

	memcpy(items, lane->items, (size_t)count * sizeof(*items));
	if (left != NULL) {
		lane->left = left->next;
		left->next = NULL;
		lane->items[0] = left;
		lane->count = 1;
		lane->attempts = 0;
		lane_send(lane);
	} else {
		lane_end(lane);
	}
	for (int i = 0; i < count; i++)
		finish(items[i]);
}

static void
lane_fail(struct lane *lane, enum error_code error)
{
	for (int i = 0; i < lane->count; i++)
		lane->items[i]->error = error;
	lane_finish(lane);
}

/* Each item of a refused batch goes alone, so that one that the database
 * cannot digest harms no other. */
static void
lane_split(struct lane *lane)
{
	for (int i = 1; i < lane->count; i++)
		lane->items[i]->next =
		    i + 1 < lane->count ? lane->items[i + 1] : NULL;
	lane->left = lane->count > 1 ? lane->items[1] : NULL;
	lane->count = 1;
	lane->attempts = 0;
	lane->alone = true;
	lane_send(lane);
}

static void
pause_over(struct loop_timer *timer, void *owner)
{
	(void)timer;
	lane_send(owner);
}

static void
lane_again(struct lane *lane, uint32_t delay_ms)
{
	lane->attempts++;
	metric_add(METRIC_POSTING_BATCH_REPEATS, 0, 1);
	loop_timer_set(&lane->pause, delay_ms, pause_over, lane);
}

/* SQLSTATEs after which nothing was written and the same again may succeed. */
static bool
is_transient(const char *sqlstate)
{
	static const char *const states[] = {
		"40001", /* serialization failure */
		"40P01", /* deadlock */
		"23505", /* an id or key that was being written elsewhere */
		"55P03", /* lock not available */
		"57014", /* statement timeout */
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(sqlstate, states[i]) == 0)
			return true;
	}
	/* 53: out of resources, 57: operator intervention (shutdown) */
	return strncmp(sqlstate, "53", 2) == 0 ||
	    strncmp(sqlstate, "57P", 3) == 0;
}

static void
batch_refused(struct lane *lane, const struct pg_answer *answer)
{
	if (is_transient(answer->sqlstate) && lane->attempts < ATTEMPTS_MAX) {
		if (strcmp(answer->sqlstate, "23505") == 0)
			lane->lost = true; /* look for our own ids, too */
		lane_again(lane, 1u << lane->attempts);
		return;
	}
	log_event(LOG_LEVEL_ERROR, "posting: refused",
	    LOG_TEXT("sqlstate", answer->sqlstate),
	    LOG_TEXT("message", answer->message),
	    LOG_NUMBER("items", lane->count));
	if (lane->count > 1 && !is_transient(answer->sqlstate))
		lane_split(lane);
	else
		lane_fail(lane,
		    is_transient(answer->sqlstate) ? ERROR_UNAVAILABLE
						   : ERROR_INTERNAL);
}

static void
batch_unanswered(struct lane *lane, bool sent)
{
	uint64_t passed_us = clock_monotonic_us() - lane->first_sent_us;

	lane->lost = lane->lost || sent;
	if (lane->lost && passed_us < RECOVERY_MS * UINT64_C(1000)) {
		lane_again(lane, RECOVERY_PAUSE_MS);
		return;
	}
	if (lane->lost)
		log_event(LOG_LEVEL_ERROR, "posting: outcome unknown",
		    LOG_NUMBER("items", lane->count));
	lane_fail(lane, lane->lost ? ERROR_OUTCOME_UNKNOWN : ERROR_UNAVAILABLE);
}

static void
batch_answered(void *owner, const struct pg_answer *answer)
{
	struct lane *lane = owner;

	switch (answer->status) {
	case PG_DONE:
		metric_observe_us(METRIC_POSTING_COMMIT_SECONDS, 0,
		    clock_monotonic_us() - lane->sent_us);
		if (post_call_read(answer->rows, lane->items, lane->count)) {
			lane_finish(lane);
			return;
		}
		log_event(LOG_LEVEL_ERROR, "posting: unreadable answer",
		    LOG_NUMBER("items", lane->count));
		lane_fail(lane, ERROR_OUTCOME_UNKNOWN);
		return;
	case PG_REFUSED:
		batch_refused(lane, answer);
		return;
	case PG_UNAVAILABLE:
		batch_unanswered(lane, false);
		return;
	case PG_UNKNOWN:
		batch_unanswered(lane, true);
		return;
	}
}

static void
lane_send(struct lane *lane)
{
	struct pg_params params;

	pg_params_init(&params);
	post_call_write(&params, lane->items, lane->count, lane->lost);
	lane->sent_us = clock_monotonic_us();
	pg_call(
	    pool, 0, &params, true, BATCH_DEADLINE_MS, batch_answered, lane);
}

/* -- life ----------------------------------------------------------------- */

bool
posting_init(const char *conninfo)
{
	struct pg_options options = {
		.name = "payment.post",
		.conninfo = conninfo,
		.statements = post_call_statements,
		.in_flight = 1,
	};

	if (pool != NULL)
		return true;
	lane_count = (int)config_number(CONFIG_PAYMENT_LANES);
	batch_max = (int)config_number(CONFIG_PAYMENT_BATCH);
	queue_max = (size_t)config_number(CONFIG_PAYMENT_QUEUE);
	assert(lane_count <= LANES_MAX && batch_max <= BATCH_MAX);
	options.connections = lane_count;
	options.queue = lane_count;
	pool = pg_pool_new(&options);
	return pool != NULL;
}

void
posting_done(void)
{
	pg_pool_free(pool);
	pool = NULL;
}

bool
posting_ready(void)
{
	struct pg_counts counts;

	if (pool == NULL)
		return false;
	pg_pool_counts(pool, &counts);
	return counts.ready > 0;
}
