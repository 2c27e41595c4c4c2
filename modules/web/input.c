/*
 * Checked input. One walk over the table of fields; each type has one reader
 * that gives NULL or what is wrong with the value, in words for a person.
 * Must never put a value that came in into a message.
 */
#include "web/input.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "domain/digest.h"
#include "domain/json.h"
#include "domain/money.h"
#include "domain/query.h"
#include "domain/rfc3339.h"
#include "domain/uuid.h"
#include "web/edge.h"
#include "web/reply.h"

#define ERRORS_MAX 64u
#define INTEGER_DIGITS_MAX 18u
#define DAY_MS INT64_C(86400000)
#define TIME_TEXT_MAX 40u
#define EXPONENT_DIGITS_MAX 2u
#define OFFSET_LENGTH 6u /* +07:00 */

struct input_error {
	const char *field;
	const char *message;
	struct input_error *next;
};

enum value_kind { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER, VALUE_TREE, VALUE_ODD };

/* A member of a body or a parameter of a query. */
struct value {
	enum value_kind kind;
	const char *text;
	size_t length;
	const struct json_node *node; /* VALUE_TREE */
	bool from_query; /* numbers are text there */
};

typedef const char *(*read_fn)(struct request *request,
    const struct input_field *field, const struct value *value, void *out);

void
input_refuse(struct request *request, const char *field, const char *message)
{
	struct input_error *error, **last;

	if (request->error_count == ERRORS_MAX || input_refused(request, field))
		return;
	error = request_alloc(request, sizeof(*error));
	error->field = request_copy(request, field, strlen(field));
	error->message = request_copy(request, message, strlen(message));
	for (last = &request->errors; *last != NULL; last = &(*last)->next)
		;
	*last = error;
	request->error_count++;
}

bool
input_refused(const struct request *request, const char *field)
{
	const struct input_error *error;

	for (error = request->errors; error != NULL; error = error->next)
		if (strcmp(error->field, field) == 0)
			return true;
	return false;
}

bool
input_valid(struct request *request)
{
	const struct error_info *info = error_info(ERROR_VALIDATION);
	const struct input_error *error;
	struct json_writer *out;

	if (request->error_count == 0)
		return true;
	reply_meta_text(request, "reason", info->reason);
	out = reply_begin(request, info->status, info->message);
	json_put_array_begin(out);
	for (error = request->errors; error != NULL; error = error->next) {
		json_put_object_begin(out);
		json_put_member_string(out, "field", error->field);
		json_put_member_string(out, "message", error->message);
		json_put_object_end(out);
	}
	json_put_array_end(out);
	reply_end(request);
	return false;
}

/* Characters of well-formed UTF-8. */
static int64_t
characters(const char *text, size_t length)
{
	int64_t count = 0;
	size_t i;

	for (i = 0; i < length; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			count++;
	return count;
}

static const char *
length_wrong(struct request *request, const struct input_field *field,
    int64_t length, const char *unit)
{
	if (length >= field->lowest && length <= field->highest)
		return NULL;
	if (field->lowest == field->highest)
		return request_format(request, "must have %lld %s",
		    (long long)field->lowest, unit);
	return request_format(request, "must have %lld to %lld %s",
	    (long long)field->lowest, (long long)field->highest, unit);
}

static const char *
read_text(struct request *request, const struct input_field *field,
    const struct value *value, void *out)
{
	if (value->kind != VALUE_TEXT)
		return "must be text";
	*(const char **)out = request_copy(request, value->text, value->length);
	return length_wrong(request, field,
	    characters(value->text, value->length), "characters");
}

static const char *
read_bytes(struct request *request, const struct input_field *field,
    const struct value *value, void *out)
{
	if (value->kind != VALUE_TEXT)
		return "must be text";
	*(const char **)out = request_copy(request, value->text, value->length);
	return length_wrong(request, field, (int64_t)value->length, "bytes");
}

static const char *
read_money(struct request *request, const struct input_field *field,
    const struct value *value, void *out)
{
	(void)request;
	(void)field;
	if ((value->kind == VALUE_NUMBER || value->kind == VALUE_TEXT) &&
	    money_parse(value->text, value->length, out))
		return NULL;
	return "must be an amount above 0 with at most two decimals, "
	       "at most 9999999999999.99";
}

static bool
integer_read(const struct value *value, int64_t *number)
{
	const char *digits = value->text;
	int64_t sign = 1, sum = 0;
	size_t count;

	if (*digits == '-') {
		sign = -1;
		digits++;
	}
	count = strspn(digits, "0123456789");
	if (count == 0 || count > INTEGER_DIGITS_MAX || digits[count] != '\0' ||
	    (digits[0] == '0' && count > 1))
		return false;
	for (; *digits != '\0'; digits++)
		sum = sum * 10 + (*digits - '0');
	*number = sign * sum;
	return true;
}

static const char *
read_integer(struct request *request, const struct input_field *field,
    const struct value *value, void *out)
{
	int64_t number;

	if ((value->kind == VALUE_NUMBER ||
		(value->kind == VALUE_TEXT && value->from_query)) &&
	    integer_read(value, &number) && number >= field->lowest &&
	    number <= field->highest) {
		*(int64_t *)out = number;
		return NULL;
	}
	return request_format(request,
	    "must be a whole number from %lld to %lld",
	    (long long)field->lowest, (long long)field->highest);
}

static const char *
read_uuid(struct request *request, const struct input_field *field,
    const struct value *value, void *out)
{
	(void)request;
	(void)field;
	if (value->kind == VALUE_TEXT &&
	    uuid_parse(value->text, value->length, out))
		return NULL;
	return "must be a UUID";
}

/* The plus of an offset is a space in a query whose writer forgot %2B; no
 * time has a space there. */
static void
time_plus(const struct value *value, char text[TIME_TEXT_MAX])
{
	memcpy(text, value->text, value->length);
	if (value->from_query && value->length > OFFSET_LENGTH &&
	    text[value->length - OFFSET_LENGTH] == ' ')
		text[value->length - OFFSET_LENGTH] = '+';
}

static const char *
read_time(struct request *request, const struct input_field *field,
    const struct value *value, void *out)
{
	char text[TIME_TEXT_MAX];
	int64_t unix_us;
	bool is_date;

	(void)request;
	if (value->kind == VALUE_TEXT && value->length < sizeof(text)) {
		time_plus(value, text);
		if (rfc3339_parse_any(
			text, value->length, &unix_us, &is_date)) {
			*(int64_t *)out = unix_us / 1000;
			if (is_date && field->type == INPUT_TIME_END)
				*(int64_t *)out += DAY_MS;
			return NULL;
		}
	}
	return "must be a date (2026-01-31) or a time "
	       "(2026-01-31T10:00:00Z)";
}

/*
 * Writes the tree under ROOT compactly; SORTED puts members in the order of
 * their keys and amounts in one form. A stack of our own, as deep as
 * documents may be.
 */
struct level {
	const struct json_node **children;
	size_t count, next;
	bool object;
};

static int
by_key(const void *a, const void *b)
{
	const struct json_node *left = *(const struct json_node *const *)a;
	const struct json_node *right = *(const struct json_node *const *)b;

	return strcmp(left->key, right->key);
}

static void
level_open(struct request *request, struct level *level,
    const struct json_node *node, bool sorted)
{
	const struct json_node *child;
	size_t i = 0;

	level->object = node->type == JSON_OBJECT;
	level->count = node->length;
	level->next = 0;
	level->children = request_alloc(
	    request, (node->length + 1) * sizeof(level->children[0]));
	for (child = json_first(&request->json, node); child != NULL;
	     child = json_next(&request->json, child)) {
		assert(i < level->count);
		level->children[i++] = child;
	}
	level->count = i;
	if (sorted && level->object)
		qsort(level->children, level->count, sizeof(level->children[0]),
		    by_key);
}

static void
leaf_write(struct json_writer *out, const struct json_node *node, bool sorted)
{
	int64_t amount_minor;

	if (sorted && node->key != NULL && strcmp(node->key, "amount") == 0 &&
	    (node->type == JSON_NUMBER || node->type == JSON_STRING) &&
	    money_parse(node->text, node->length, &amount_minor)) {
		json_put_money(out, amount_minor);
		return;
	}
	switch (node->type) {
	case JSON_NULL:
		json_put_null(out);
		break;
	case JSON_FALSE:
		json_put_bool(out, false);
		break;
	case JSON_TRUE:
		json_put_bool(out, true);
		break;
	case JSON_NUMBER:
		json_put_raw(out, node->text, node->length);
		break;
	case JSON_STRING:
		json_put_string_n(out, node->text, node->length);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		assert(false);
	}
}

static void
tree_write(struct request *request, struct json_writer *out,
    const struct json_node *root, bool sorted)
{
	struct level levels[JSON_DEPTH_MAX + 1];
	const struct json_node *node = root;
	struct level *level = NULL;
	unsigned depth = 0;

	for (;;) {
		if (level != NULL && level->next == level->count) {
			if (level->object)
				json_put_object_end(out);
			else
				json_put_array_end(out);
			depth--;
			if (depth == 0)
				return;
			level = &levels[depth - 1];
			continue;
		}
		if (level != NULL)
			node = level->children[level->next++];
		if (level != NULL && level->object)
			json_put_key(out, node->key);
		if (node->type != JSON_OBJECT && node->type != JSON_ARRAY) {
			leaf_write(out, node, sorted);
			if (level == NULL)
				return;
			continue;
		}
		assert(depth < sizeof(levels) / sizeof(levels[0]));
		level = &levels[depth++];
		level_open(request, level, node, sorted);
		if (level->object)
			json_put_object_begin(out);
		else
			json_put_array_begin(out);
	}
}

/* Whoever keeps the number writes it out: 1e131071 has that many digits. */
static bool
number_is_short(const struct json_node *node)
{
	const char *exponent = strpbrk(node->text, "eE");

	if (exponent == NULL)
		return true;
	exponent++;
	exponent += *exponent == '+' || *exponent == '-' ? 1 : 0;
	return strlen(exponent) <= EXPONENT_DIGITS_MAX;
}

/* The nodes below a member of the body stand behind it, up to the next. */
static bool
numbers_are_short(
    const struct json_document *document, const struct json_node *member)
{
	const struct json_node *end = member->next >= 0
	    ? &document->nodes[member->next]
	    : document->nodes + document->count;
	const struct json_node *node;

	for (node = member; node < end; node++)
		if (node->type == JSON_NUMBER && !number_is_short(node))
			return false;
	return true;
}

static const char *
read_tree(struct request *request, const struct input_field *field,
    const struct value *value, void *out)
{
	struct json_writer writer;
	const char *wrong = NULL;

	if (value->kind != VALUE_TREE)
		return "must be an object or a list";
	if (!numbers_are_short(&request->json, value->node))
		return "has a number that is too large or too small";
	json_writer_init(&writer);
	tree_write(request, &writer, value->node, false);
	if (json_writer_failed(&writer))
		abort();
	if ((int64_t)writer.length > field->highest)
		wrong = request_format(request, "must have at most %lld bytes",
		    (long long)field->highest);
	else
		*(const char **)out =
		    request_copy(request, writer.bytes, writer.length);
	json_writer_free(&writer);
	return wrong;
}

static const read_fn readers[] = {
	[INPUT_TEXT] = read_text,
	[INPUT_BYTES] = read_bytes,
	[INPUT_MONEY] = read_money,
	[INPUT_INTEGER] = read_integer,
	[INPUT_UUID] = read_uuid,
	[INPUT_JSON] = read_tree,
	[INPUT_TIME] = read_time,
	[INPUT_TIME_END] = read_time,
};

static void
field_read(struct request *request, const struct input_field *field,
    const struct value *value, void *out)
{
	const char *wrong = NULL;

	if (value->kind == VALUE_NONE)
		wrong = field->required ? "is required" : NULL;
	else
		wrong = readers[field->type](
		    request, field, value, (char *)out + field->offset);
	if (wrong != NULL)
		input_refuse(request, field->name, wrong);
}

/* The parameter charset of a media type is utf-8 (utf8 is a usual slip),
 * quoted or not, or absent. */
static bool
charset_fits(const char *parameters)
{
	static const char name[] = "charset=";

	while (*parameters == ';') {
		parameters++;
		parameters += strspn(parameters, " ");
		if (strncasecmp(parameters, name, sizeof(name) - 1) == 0) {
			const char *set = parameters + sizeof(name) - 1;
			bool quoted = *set == '"';

			set += quoted ? 1 : 0;
			if (strncasecmp(set, "utf", 3) != 0)
				return false;
			set += 3;
			set += *set == '-' ? 1 : 0;
			if (*set++ != '8')
				return false;
			if (quoted && *set++ != '"')
				return false;
			return *set == '\0' || *set == ';' || *set == ' ';
		}
		parameters += strcspn(parameters, ";");
	}
	return *parameters == '\0';
}

static bool
is_json(struct request *request)
{
	static const char json[] = "application/json";
	const char *type = request_header(request, "content-type");
	const char *coding = request_header(request, "content-encoding");

	if (coding != NULL && *coding != '\0' &&
	    strcasecmp(coding, "identity") != 0)
		return false;
	if (type == NULL || strncasecmp(type, json, sizeof(json) - 1) != 0)
		return false;
	type += sizeof(json) - 1;
	type += strspn(type, " ");
	return charset_fits(type);
}

/* Reads the body once; false: it has replied. */
static bool
body_read(struct request *request)
{
	static const char empty[] = "{}";
	const char *body = request->body;
	size_t length = request->body_length;

	if (request->json_read)
		return true;
	if (length > 0 && !is_json(request)) {
		reply_error(request, ERROR_UNSUPPORTED_MEDIA_TYPE);
		return false;
	}
	if (length == 0) {
		body = empty;
		length = sizeof(empty) - 1;
	}
	if (json_parse(body, length, &request->json) != JSON_OK ||
	    request->json.nodes[0].type != JSON_OBJECT) {
		reply_error(request, ERROR_MALFORMED_JSON);
		return false;
	}
	request->json_read = true;
	return true;
}

static struct value
value_of_node(const struct json_node *node)
{
	struct value value = { .kind = VALUE_NONE };

	if (node == NULL)
		return value;
	value.text = node->text;
	value.length = node->length;
	value.node = node;
	switch (node->type) {
	case JSON_NULL:
		value.kind = VALUE_NONE;
		break;
	case JSON_STRING:
		value.kind = VALUE_TEXT;
		break;
	case JSON_NUMBER:
		value.kind = VALUE_NUMBER;
		break;
	case JSON_OBJECT:
	case JSON_ARRAY:
		value.kind = VALUE_TREE;
		break;
	case JSON_FALSE:
	case JSON_TRUE:
		value.kind = VALUE_ODD;
		break;
	}
	return value;
}

bool
input_body(struct request *request, const struct input_field *fields,
    size_t count, void *out)
{
	struct value value;
	size_t i;

	if (count > 0 && request->head->expects_body &&
	    !request->head->has_length) {
		reply_error(request, ERROR_LENGTH_REQUIRED);
		return false;
	}
	if (!body_read(request))
		return false;
	for (i = 0; i < count; i++) {
		value = value_of_node(json_member(
		    &request->json, &request->json.nodes[0], fields[i].name));
		field_read(request, &fields[i], &value, out);
	}
	return true;
}

void
input_fingerprint(struct request *request, uint8_t fingerprint[32])
{
	struct json_writer writer;

	assert(request->json_read);
	json_writer_init(&writer);
	tree_write(request, &writer, &request->json.nodes[0], true);
	if (json_writer_failed(&writer))
		abort();
	digest_sha256(writer.bytes, writer.length, fingerprint);
	json_writer_free(&writer);
}

static const char *const query_wrong[] = {
	[QUERY_TOO_LONG] = "is too long",
	[QUERY_TOO_MANY] = "has too many names",
	[QUERY_BAD_ESCAPE] = "has a % without two digits",
	[QUERY_BAD_TEXT] = "has bytes that are no text",
	[QUERY_NO_NAME] = "has a value without a name",
	[QUERY_REPEATED] = "has a name twice",
};

/* A name twice is told by its name when it is one of ours. */
static void
query_refuse(struct request *request, enum query_result result,
    const struct query *query, const struct input_field *fields, size_t count)
{
	const char *name = "query";
	const char *message = query_wrong[result];

	for (size_t i = 0; result == QUERY_REPEATED && i < count; i++) {
		if (strcmp(fields[i].name, query->repeated) == 0) {
			name = fields[i].name;
			message = "stands there twice";
		}
	}
	input_refuse(request, name, message);
}

bool
input_query(struct request *request, const struct input_field *fields,
    size_t count, void *out)
{
	const struct query_field *found;
	enum query_result result;
	struct query query;
	size_t i;

	result = query_parse(request->query, strlen(request->query), &query);
	if (result != QUERY_OK) {
		query_refuse(request, result, &query, fields, count);
		return true;
	}
	for (i = 0; i < count; i++) {
		struct value value = { .kind = VALUE_NONE };

		found = query_get(&query, fields[i].name);
		if (found != NULL) {
			value.kind = VALUE_TEXT;
			value.text = found->value;
			value.length = found->value_length;
			value.from_query = true;
		}
		field_read(request, &fields[i], &value, out);
	}
	return true;
}
