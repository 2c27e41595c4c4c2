/* Readers of one field of an answer. A field of another type than asked for
 * is a broken promise between C and SQL and ends the process. */
#include "io/pg.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/log.h"

const char *
pg_text(const PGresult *rows, int row, int column)
{
	return PQgetvalue(rows, row, column);
}

bool
pg_is_null(const PGresult *rows, int row, int column)
{
	return PQgetisnull(rows, row, column) == 1;
}

int64_t
pg_int(const PGresult *rows, int row, int column)
{
	const char *text = PQgetvalue(rows, row, column);
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	assert(end != text && *end == '\0' && errno == 0);
	return value;
}

bool
pg_bool(const PGresult *rows, int row, int column)
{
	const char *text = PQgetvalue(rows, row, column);

	assert(strcmp(text, "t") == 0 || strcmp(text, "f") == 0);
	return text[0] == 't';
}

int
pg_column(const PGresult *rows, const char *name)
{
	int column = PQfnumber(rows, name);

	if (column < 0)
		log_event(LOG_LEVEL_ERROR, "pg: no such column",
		    LOG_TEXT("column", name));
	assert(column >= 0);
	return column;
}

int64_t
pg_binary_int(const PGresult *rows, int row, int column)
{
	const unsigned char *bytes =
	    (const unsigned char *)PQgetvalue(rows, row, column);
	int length = PQgetlength(rows, row, column);
	uint64_t value = 0;

	assert(PQfformat(rows, column) == 1);
	assert(length == 2 || length == 4 || length == 8);
	if (bytes[0] & 0x80)
		value = UINT64_MAX;
	for (int i = 0; i < length; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

struct uuid
pg_binary_uuid(const PGresult *rows, int row, int column)
{
	struct uuid id;

	assert(PQfformat(rows, column) == 1);
	assert(PQgetlength(rows, row, column) == (int)sizeof(id.bytes));
	memcpy(id.bytes, PQgetvalue(rows, row, column), sizeof(id.bytes));
	return id;
}

bool
pg_binary_bool(const PGresult *rows, int row, int column)
{
	assert(PQfformat(rows, column) == 1);
	assert(PQgetlength(rows, row, column) == 1);
	return PQgetvalue(rows, row, column)[0] != 0;
}

int64_t
pg_binary_time(const PGresult *rows, int row, int column)
{
	return pg_binary_int(rows, row, column) + PG_EPOCH_US;
}
