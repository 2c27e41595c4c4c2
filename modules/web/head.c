/*
 * See head.h. The order is the order on the wire: request line, fields, then
 * what the fields mean together.
 */
#include "web/head.h"

#include <string.h>
#include <strings.h>

#include "domain/plain.h"

struct method {
	const char *name;
	bool takes_body;
	bool expects_body; /* a client that has none says so: length 0 */
};

static const struct method methods[] = {
	{ "GET", false, false },
	{ "POST", true, true },
	{ "PUT", true, true },
	{ "DELETE", true, false },
	{ "HEAD", false, false },
	{ "PATCH", true, true },
	{ "OPTIONS", false, false },
	{ NULL, false, false },
};

/* Fields whose second copy could be read differently by somebody else. */
static const char *const single_fields[] = { "host", "content-length",
	"content-type", "authorization", "x-api-key", "x-payment-pin",
	"x-request-id", NULL };

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9110 tchar; what names are made of comes first. */
static bool
is_token(char c)
{
	if ((c >= 'a' && c <= 'z') || is_upper(c) || is_digit(c) || c == '-')
		return true;
	return c != '\0' && strchr("!#$%&'*+.^_`|~", c) != NULL;
}

bool
head_complete(
    const char *block, size_t length, size_t *size, enum error_code *code)
{
	const char *end, *line_feed;

	*code = ERROR_NONE;
	if (length == 0)
		return false;
	if (!is_token(block[0])) {
		*code = ERROR_BAD_REQUEST;
		return false;
	}
	end = memmem(block, length, "\r\n\r\n", 4);
	if (end != NULL) {
		*size = (size_t)(end - block) + 4;
		return true;
	}
	line_feed = memchr(block, '\n', length);
	while (line_feed != NULL) {
		if (line_feed[-1] != '\r') {
			*code = ERROR_BAD_REQUEST;
			return false;
		}
		line_feed = memchr(line_feed + 1, '\n',
		    length - (size_t)(line_feed + 1 - block));
	}
	return false;
}

/* METHOD SP origin-form SP HTTP/1.x; LINE is NUL-terminated. */
static enum error_code
read_request_line(struct head *head, char *line)
{
	const struct method *method;
	char *target, *version, *c;

	for (c = line; is_token(*c); c++)
		;
	if (c == line || *c != ' ')
		return ERROR_BAD_REQUEST;
	*c = '\0';
	target = c + 1;
	for (c = target; *c > 0x20 && *c < 0x7f && *c != '#'; c++)
		;
	if (*c != ' ' || c == target)
		return ERROR_BAD_REQUEST;
	*c = '\0';
	version = c + 1;

	if (strncmp(version, "HTTP/", 5) != 0 || !is_digit(version[5]) ||
	    version[6] != '.' || !is_digit(version[7]) || version[8] != '\0')
		return ERROR_BAD_REQUEST;
	if (version[5] != '1' || version[7] > '1')
		return ERROR_VERSION_NOT_SUPPORTED;
	head->version_1_0 = version[7] == '0';
	head->closes = head->version_1_0;

	for (method = methods; method->name != NULL; method++)
		if (strcmp(method->name, line) == 0)
			break;
	if (method->name == NULL)
		return ERROR_NOT_IMPLEMENTED;
	head->method = method->name;
	head->takes_body = method->takes_body;
	head->expects_body = method->expects_body;

	if (*target != '/')
		return ERROR_BAD_REQUEST;
	if ((size_t)(version - target) > HEAD_TARGET_MAX)
		return ERROR_URI_TOO_LONG;
	head->path = target;
	c = strchr(target, '?');
	if (c != NULL) {
		*c = '\0';
		head->query = c + 1;
	}
	if (strlen(target) > HEAD_PATH_MAX)
		return ERROR_URI_TOO_LONG;
	return ERROR_NONE;
}

/* NAME ":" OWS value OWS; LINE..END, END is writable and becomes NUL. */
static enum error_code
read_field(struct head *head, char *line, char *end)
{
	char *name_end, *value, *c;

	for (c = line; c < end && is_token(*c); c++)
		if (is_upper(*c))
			*c = (char)(*c - 'A' + 'a');
	name_end = c;
	if (name_end == line || name_end == end || *name_end != ':')
		return ERROR_BAD_REQUEST;
	if (head->count == HEAD_FIELDS_MAX)
		return ERROR_HEADERS_TOO_LARGE;

	for (value = name_end + 1;
	     value < end && (*value == ' ' || *value == '\t'); value++)
		;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (c = value; c < end; c++) {
		c += plain_length(c, (size_t)(end - c));
		if (c == end)
			break;
		if (*c == '\t')
			continue;
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return ERROR_BAD_REQUEST;
		if ((unsigned char)*c > 0x7f)
			*c = HEAD_FOREIGN;
	}
	*name_end = '\0';
	*end = '\0';
	head->fields[head->count].name = line;
	head->fields[head->count].value = value;
	head->count++;
	return ERROR_NONE;
}

/* True when the comma list VALUE has the member TOKEN, in any case. */
static bool
list_has(const char *value, const char *token)
{
	size_t length, wanted = strlen(token);

	while (*value != '\0') {
		value += strspn(value, ", \t");
		length = strcspn(value, ", \t");
		if (length == wanted && strncasecmp(value, token, wanted) == 0)
			return true;
		value += length;
	}
	return false;
}

static enum error_code
read_length(struct head *head, const char *value)
{
	size_t digits = 0;

	head->body_length = 0;
	for (; is_digit(value[digits]); digits++) {
		if (digits == HEAD_LENGTH_DIGITS_MAX)
			return ERROR_BODY_TOO_LARGE;
		head->body_length =
		    head->body_length * 10 + (size_t)(value[digits] - '0');
	}
	if (digits == 0 || value[digits] != '\0')
		return ERROR_BAD_REQUEST;
	head->has_length = true;
	return ERROR_NONE;
}

/* RFC 9112 3.2: one, of the characters of an authority; who reads by HTTP/1.0
 * may do without. */
static bool
host_fits(const struct head *head)
{
	const char *host = head_value(head, "host");

	if (host == NULL)
		return head->version_1_0 && !head->takes_body;
	if (*host == '\0')
		return false;
	for (; *host != '\0'; host++)
		if (!is_upper(*host) && !is_digit(*host) &&
		    !(*host >= 'a' && *host <= 'z') &&
		    strchr("-._~%!$&'()*+,;=:[]", *host) == NULL)
			return false;
	return true;
}

/* What the fields say together. */
static enum error_code
check_fields(struct head *head)
{
	const char *const *single;
	const char *value;
	enum error_code code;

	for (single = single_fields; *single != NULL; single++)
		if (head_times(head, *single) > 1)
			return ERROR_BAD_REQUEST;
	if (!host_fits(head))
		return ERROR_BAD_REQUEST;
	value = head_value(head, "connection");
	if (value != NULL && list_has(value, "close"))
		head->closes = true;

	/* A chunked body would be the next request to Kore's parser. */
	if (head_value(head, "transfer-encoding") != NULL)
		return ERROR_TRANSFER_CODING;
	value = head_value(head, "content-length");
	if (value != NULL) {
		code = read_length(head, value);
		if (code != ERROR_NONE)
			return code;
	}
	value = head_value(head, "expect");
	if (value != NULL) {
		if (strcasecmp(value, "100-continue") != 0)
			return ERROR_EXPECTATION_FAILED;
		head->expects_continue = !head->version_1_0;
	}
	return ERROR_NONE;
}

static enum error_code
check_body(struct head *head)
{
	if (!head->takes_body && head->body_length > 0)
		return ERROR_BAD_REQUEST;
	/* No length is no body, but its bytes may come nevertheless: they must
	 * never be the next request. */
	if (head->expects_body && !head->has_length)
		head->closes = true;
	return ERROR_NONE;
}

/* The CR LF that ends LINE; there is one before LAST. */
static char *
line_end(char *line, const char *last)
{
	char *line_feed = line;

	do
		line_feed =
		    memchr(line_feed + 1, '\n', (size_t)(last - line_feed - 1));
	while (line_feed[-1] != '\r');
	return line_feed - 1;
}

enum error_code
head_read(struct head *head, char *block, size_t size)
{
	enum error_code code, line_code, field_code = ERROR_NONE;
	char *line, *end, *last = block + size - 2;

	memset(head, 0, sizeof(*head));
	head->method = head->path = head->query = "";
	if (memchr(block, '\0', size) != NULL)
		return ERROR_BAD_REQUEST;

	end = line_end(block, block + size);
	*end = '\0';
	line_code = read_request_line(head, block);
	for (line = end + 2; line < last && field_code == ERROR_NONE;
	     line = end + 2) {
		end = line_end(line, block + size);
		field_code = read_field(head, line, end);
	}
	/* Malformed bytes weigh more than an unknown method. */
	if (field_code != ERROR_NONE)
		return field_code;
	if (line_code != ERROR_NONE)
		return line_code;
	code = check_fields(head);
	if (code != ERROR_NONE)
		return code;
	return check_body(head);
}

const char *
head_value(const struct head *head, const char *name)
{
	unsigned i;

	for (i = 0; i < head->count; i++)
		if (strcmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	return NULL;
}

unsigned
head_times(const struct head *head, const char *name)
{
	unsigned i, times = 0;

	for (i = 0; i < head->count; i++)
		if (strcmp(head->fields[i].name, name) == 0)
			times++;
	return times;
}
