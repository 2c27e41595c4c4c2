/*
 * Module transaction: what it opens in a worker and what it needs to be ready.
 */
#include <kore.h>

#include "transaction/follower.h"
#include "transaction/store.h"
#include "web/health.h"
#include "web/worker.h"

int transaction_init(int action);

/* Kore calls it in each worker, and again at SIGHUP. */
__attribute__((visibility("default"))) int
transaction_init(int action)
{
	if (action != KORE_MODULE_LOAD)
		return KORE_RESULT_OK;
	worker_begin("transaction");
	store_init();
	follower_start();
	worker_at_exit(follower_stop);
	health_need("postgresql", store_ready);
	health_use("kafka", follower_ready);
	return KORE_RESULT_OK;
}
