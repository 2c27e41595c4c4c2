/*
 * Unicode text by utf8proc.
 */
#include "domain/text.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

/* Assigned and no format character, yet nothing to see. */
static const uint32_t invisible[] = {
	0x034f, /* combining grapheme joiner */
	0x115f, /* hangul choseong filler */
	0x1160, /* hangul jungseong filler */
	0x17b4, /* khmer inherent vowels */
	0x17b5, 0x2800, /* braille blank */
	0x3164, /* hangul filler */
	0xffa0, /* halfwidth hangul filler */
	0xfffc, /* object replacement */
	0xfffd, /* replacement: something was lost */
};

static bool
in_ranges(uint32_t c)
{
	/* variation selectors, tags */
	return ((c >= 0xfe00 && c <= 0xfe0f) || (c >= 0x180b && c <= 0x180f) ||
	    (c >= 0xe0000 && c <= 0xe0fff));
}

bool
text_character_visible(uint32_t code_point)
{
	if (code_point == ' ')
		return (true);
	if (in_ranges(code_point))
		return (false);
	for (size_t i = 0; i < sizeof(invisible) / sizeof(invisible[0]); i++) {
		if (invisible[i] == code_point)
			return (false);
	}
	switch ((int)utf8proc_category((utf8proc_int32_t)code_point)) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return (false);
	default:
		return (true);
	}
}

static bool
map(const char *text, size_t length, char *out, size_t size,
    utf8proc_option_t options)
{
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t mapped_length;
	bool fits;

	mapped_length = utf8proc_map((const utf8proc_uint8_t *)text,
	    (utf8proc_ssize_t)length, &mapped, options);
	if (mapped_length < 0)
		return (false);
	fits = (size_t)mapped_length < size;
	if (fits) {
		memcpy(out, mapped, (size_t)mapped_length);
		out[mapped_length] = '\0';
	}
	free(mapped);
	return (fits);
}

bool
text_nfc(const char *text, size_t length, char *out, size_t size)
{
	return (
	    map(text, length, out, size, UTF8PROC_STABLE | UTF8PROC_COMPOSE));
}

bool
text_fold(const char *text, size_t length, char *out, size_t size)
{
	return (map(text, length, out, size,
	    UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
		UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
}
