/*
 * Redis without waiting, by hiredis on the loop: one connection a worker,
 * reconnect with backoff, a deadline for each command. Redis may vanish at any
 * moment: whoever asks must know what to do without it.
 */
#ifndef ONEGATE_IO_REDIS_H
#define ONEGATE_IO_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ADDRESS is ip:port. Starts connecting. False on a bad address. */
bool redis_init(const char *address);
/* Ends it; commands on their way get NULL first. Never inside a DONE. */
void redis_done(void);
/* The server has answered lately: a PING since the connection was made. */
bool redis_ready(void);

/* REPLY is NULL when Redis is away or the deadline passed; valid during the
 * callback. */
typedef void (*redis_done_fn)(void *owner, const redisReply *reply);

/* Sends a command of ARGC parts (lengths may be NULL: strings). DONE is called
 * exactly once, never inside redis_call. */
void redis_call(int argc, const char **argv, const size_t *lengths,
    uint32_t deadline_ms, redis_done_fn done, void *owner);

/* Runs a Lua script by EVALSHA, loading it when the server lost it. ARGV has
 * ARGC parts, at most 64, the first KEYS of them keys. */
struct redis_script {
	const char *source;
	char sha1[41]; /* filled at first use */
};
void redis_eval(struct redis_script *script, int keys, int argc,
    const char **argv, const size_t *lengths, uint32_t deadline_ms,
    redis_done_fn done, void *owner);

#endif
