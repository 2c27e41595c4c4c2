/*
 * Parameters of a call: one growing block of bytes and, for each parameter,
 * where it is in it. Wiped when freed: parameters hold hashes and tokens.
 */
#include "io/pg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define PARAMS_BYTES_FIRST 256
#define ARRAY_FLAGS_OFFSET 4 /* of "has nulls" in a binary array */

void
pg_params_init(struct pg_params *params)
{
	memset(params, 0, sizeof(*params));
}

void
pg_params_free(struct pg_params *params)
{
	if (params->bytes != NULL)
		explicit_bzero(params->bytes, params->length);
	free(params->bytes);
	pg_params_init(params);
}

/* Room for LENGTH more bytes, already counted; NULL marks the failure. */
static char *
bytes_add(struct pg_params *params, size_t length)
{
	size_t needed, capacity = params->capacity;
	char *bytes;

	if (params->failed || length > PARAMS_BYTES_MAX - params->length) {
		params->failed = true;
		return NULL;
	}
	needed = params->length + length;
	if (needed > capacity || params->bytes == NULL) {
		capacity = capacity ? capacity : PARAMS_BYTES_FIRST;
		while (capacity < needed)
			capacity *= 2;
		bytes = malloc(capacity);
		if (bytes == NULL) {
			params->failed = true;
			return NULL;
		}
		if (params->bytes != NULL) {
			memcpy(bytes, params->bytes, params->length);
			explicit_bzero(params->bytes, params->length);
			free(params->bytes);
		}
		params->bytes = bytes;
		params->capacity = capacity;
	}
	bytes = params->bytes + params->length;
	params->length = needed;
	return bytes;
}

/* Opens the next parameter at the end of the bytes. */
static bool
param_open(struct pg_params *params, int format)
{
	if (params->count == PG_PARAMS_MAX || params->array_left != 0)
		params->failed = true;
	if (params->failed)
		return false;
	params->offsets[params->count] = (int32_t)params->length;
	params->lengths[params->count] = 0;
	params->formats[params->count] = format;
	params->count++;
	return true;
}

/* The last parameter ends where the bytes end now. */
static void
param_close(struct pg_params *params)
{
	int last = params->count - 1;

	if (!params->failed)
		params->lengths[last] =
		    (int)(params->length - (size_t)params->offsets[last]);
}

static void
bytes_put(struct pg_params *params, const void *bytes, size_t length)
{
	char *room = bytes_add(params, length);

	if (room != NULL && length > 0)
		memcpy(room, bytes, length);
}

/* SIZE bytes of VALUE, the highest first. */
static void
number_put(struct pg_params *params, uint64_t value, size_t size)
{
	char *room = bytes_add(params, size);

	for (size_t i = size; room != NULL && i > 0; i--, value >>= 8)
		room[i - 1] = (char)(value & 0xff);
}

static void
param_put(struct pg_params *params, const void *bytes, size_t length)
{
	if (!param_open(params, 1))
		return;
	bytes_put(params, bytes, length);
	param_close(params);
}

static void
param_put_number(struct pg_params *params, uint64_t value, size_t size)
{
	if (!param_open(params, 1))
		return;
	number_put(params, value, size);
	param_close(params);
}

void
pg_put_null(struct pg_params *params)
{
	if (param_open(params, 0))
		params->offsets[params->count - 1] = -1;
}

void
pg_put_text(struct pg_params *params, const char *text)
{
	if (text == NULL)
		pg_put_null(params);
	else
		pg_put_text_n(params, text, strlen(text));
}

void
pg_put_text_n(struct pg_params *params, const char *text, size_t length)
{
	if (length > 0 && memchr(text, '\0', length) != NULL)
		params->failed = true; /* PostgreSQL has no text with NUL */
	if (!param_open(params, 0))
		return;
	bytes_put(params, text, length);
	param_close(params);
	bytes_put(params, "", 1);
}

void
pg_put_int4(struct pg_params *params, int32_t value)
{
	param_put_number(params, (uint64_t)(int64_t)value, 4);
}

void
pg_put_int8(struct pg_params *params, int64_t value)
{
	param_put_number(params, (uint64_t)value, 8);
}

void
pg_put_int8_or_null(struct pg_params *params, int64_t value, int64_t none)
{
	if (value == none)
		pg_put_null(params);
	else
		pg_put_int8(params, value);
}

void
pg_put_bool(struct pg_params *params, bool value)
{
	param_put_number(params, value, 1);
}

void
pg_put_uuid(struct pg_params *params, const struct uuid *value)
{
	param_put(params, value->bytes, sizeof(value->bytes));
}

void
pg_put_bytea(struct pg_params *params, const void *bytes, size_t length)
{
	param_put(params, bytes, length);
}

void
pg_array_begin(struct pg_params *params, uint32_t element_oid, int count)
{
	if (!param_open(params, 1))
		return;
	if (count < 0) {
		params->failed = true;
		return;
	}
	number_put(params, count > 0, 4); /* dimensions */
	number_put(params, 0, 4); /* has nulls */
	number_put(params, element_oid, 4);
	if (count > 0) {
		number_put(params, (uint64_t)count, 4);
		number_put(params, 1, 4); /* lower bound */
	}
	params->array_left = count;
}

/* Counts one element of the open array; false when it is one too many. */
static bool
array_take(struct pg_params *params)
{
	if (params->array_left == 0)
		params->failed = true;
	if (params->failed)
		return false;
	params->array_left--;
	return true;
}

static void
array_put(struct pg_params *params, const void *bytes, size_t length)
{
	if (!array_take(params) || length > PARAMS_BYTES_MAX) {
		params->failed = true;
		return;
	}
	number_put(params, length, 4);
	bytes_put(params, bytes, length);
}

static void
array_put_number(struct pg_params *params, uint64_t value, size_t size)
{
	if (!array_take(params))
		return;
	number_put(params, size, 4);
	number_put(params, value, size);
}

void
pg_array_null(struct pg_params *params)
{
	if (!array_take(params))
		return;
	params->bytes[params->offsets[params->count - 1] + ARRAY_FLAGS_OFFSET +
	    3] = 1;
	number_put(params, UINT32_MAX, 4);
}

void
pg_array_text(struct pg_params *params, const char *text, size_t length)
{
	array_put(params, text, length);
}

void
pg_array_int2(struct pg_params *params, int16_t value)
{
	array_put_number(params, (uint64_t)(int64_t)value, 2);
}

void
pg_array_int4(struct pg_params *params, int32_t value)
{
	array_put_number(params, (uint64_t)(int64_t)value, 4);
}

void
pg_array_int8(struct pg_params *params, int64_t value)
{
	array_put_number(params, (uint64_t)value, 8);
}

void
pg_array_bool(struct pg_params *params, bool value)
{
	array_put_number(params, value, 1);
}

void
pg_array_time(struct pg_params *params, int64_t unix_us)
{
	array_put_number(params, (uint64_t)(unix_us - PG_EPOCH_US), 8);
}

void
pg_array_uuid(struct pg_params *params, const struct uuid *value)
{
	array_put(params, value->bytes, sizeof(value->bytes));
}

void
pg_array_bytea(struct pg_params *params, const void *bytes, size_t length)
{
	array_put(params, bytes, length);
}

void
pg_array_end(struct pg_params *params)
{
	if (params->array_left != 0)
		params->failed = true;
	params->array_left = 0;
	param_close(params);
}

int
pg_params_send(struct pg_params *params, PGconn *connection,
    const char *statement, bool binary)
{
	const char *values[PG_PARAMS_MAX];

	assert(!params->failed && params->array_left == 0);
	for (int i = 0; i < params->count; i++)
		values[i] = params->offsets[i] < 0
		    ? NULL
		    : params->bytes + params->offsets[i];
	return PQsendQueryPrepared(connection, statement, params->count, values,
	    params->lengths, params->formats, binary ? 1 : 0);
}
