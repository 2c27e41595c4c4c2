/*
 * GET /api/transaction/reports/daily: counts and sums by day, type, status,
 * payment method and direction, with a totals line; as JSON, or as a CSV file
 * (RFC 4180) with format=csv. Permission READ_REPORTS.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transaction/api_client.h"
#include "transaction/store.h"
#include "web/endpoint.h"
#include "web/input.h"
#include "web/reply.h"

#define DAY_MS INT64_C(86400000)
#define DAYS_MOST 366

struct report {
	int64_t from_ms, to_ms;
	const char *format;
};

static const struct input_field fields[] = {
	{ "from_date", INPUT_TIME, true, offsetof(struct report, from_ms), 0,
	    0 },
	{ "to_date", INPUT_TIME, true, offsetof(struct report, to_ms), 0, 0 },
	{ "format", INPUT_TEXT, false, offsetof(struct report, format), 0, 8 },
};

static const char *const columns[] = { "day", "transaction_type",
	"transaction_status", "payment_method", "direction", "count",
	"amount" };
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))
#define NUMBERS_FROM 5u /* columns[5] on are numbers */

static void report_found(
    struct request *request, const struct pg_answer *answer);

static void
daily(struct request *request)
{
	struct visit *visit = request->state;
	struct report *report;
	struct pg_params params;

	if (!api_client_permitted(request, PERMISSION_READ_REPORTS))
		return;
	report = request_alloc(request, sizeof(*report));
	visit->state = report;
	if (!input_query(request, fields, INPUT_COUNT(fields), report))
		return;
	if (report->format != NULL && strcmp(report->format, "json") != 0 &&
	    strcmp(report->format, "csv") != 0)
		input_refuse(request, "format", "json or csv");
	if (report->from_ms % DAY_MS != 0)
		input_refuse(request, "from_date", "a whole day");
	if (report->to_ms % DAY_MS != 0)
		input_refuse(request, "to_date", "a whole day");
	if (report->to_ms <= report->from_ms ||
	    report->to_ms - report->from_ms > DAYS_MOST * DAY_MS)
		input_refuse(request, "to_date",
		    "after from_date, by 366 days at the most");
	if (!input_valid(request))
		return;
	pg_params_init(&params);
	pg_put_int8(&params, report->from_ms);
	pg_put_int8(&params, report->to_ms);
	request_sql(
	    request, store_pool(), STORE_DAILY, &params, false, report_found);
}

static void
put_csv_line(FILE *file, const PGresult *rows, int row)
{
	for (size_t c = 0; c < COLUMN_COUNT; c++)
		fprintf(file, "%s%s",
		    rows == NULL
			? columns[c]
			: pg_text(rows, row, pg_column(rows, columns[c])),
		    c + 1 < COLUMN_COUNT ? "," : "\r\n");
}

static void
reply_csv(struct request *request, const PGresult *rows)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (file == NULL) {
		reply_error(request, ERROR_UNAVAILABLE);
		return;
	}
	put_csv_line(file, NULL, 0);
	for (int row = 0; row < PQntuples(rows); row++)
		put_csv_line(file, rows, row);
	if (fclose(file) != 0)
		reply_error(request, ERROR_UNAVAILABLE);
	else
		reply_plain(
		    request, 200, "text/csv; charset=utf-8", text, length);
	free(text);
}

static void
reply_json(struct request *request, const PGresult *rows)
{
	struct json_writer *writer = reply_begin(request, 200, "Daily totals");

	reply_meta_int(request, "size", PQntuples(rows));
	json_put_array_begin(writer);
	for (int row = 0; row < PQntuples(rows); row++) {
		json_put_object_begin(writer);
		for (size_t c = 0; c < COLUMN_COUNT; c++) {
			const char *cell =
			    pg_text(rows, row, pg_column(rows, columns[c]));

			json_put_key(writer, columns[c]);
			if (c < NUMBERS_FROM)
				json_put_string(writer, cell);
			else
				json_put_raw(writer, cell, strlen(cell));
		}
		json_put_object_end(writer);
	}
	json_put_array_end(writer);
	reply_end(request);
}

static void
report_found(struct request *request, const struct pg_answer *answer)
{
	const struct visit *visit = request->state;
	const struct report *report = visit->state;

	if (!request_sql_ok(request, answer))
		return;
	if (report->format != NULL && strcmp(report->format, "csv") == 0)
		reply_csv(request, answer->rows);
	else
		reply_json(request, answer->rows);
}

/* There is no such report; who may read reports is told so. */
static void
no_report(struct request *request)
{
	if (api_client_permitted(request, PERMISSION_READ_REPORTS))
		reply_error(request, ERROR_NOT_FOUND);
}

ENDPOINT_ADMITTED(transaction_no_report, api_client_admit,
    { "GET", no_report, ACCESS_PUBLIC })
ENDPOINT_ADMITTED(
    transaction_report_daily, api_client_admit, { "GET", daily, ACCESS_PUBLIC })
