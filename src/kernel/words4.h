/*
 * words4.h
 *	  Codes of four bits a dimension for table_product: words of their planes,
 *	  beside each other for several codes.  For levels that store little-endian.
 */
#ifndef HX_WORDS4_H
#define HX_WORDS4_H

#include <string.h>

#include "kernel/level.h"

/*
 * Word of each plane of `lanes` codes from code `start`, at byte `at` of the
 * planes: word[plane * lanes + lane].  Behind a plane's end there are zeros; a
 * short last group repeats its last code.
 */
HX_INLINE void
load_words4(HxCodes codes, size_t start, int lanes, size_t at,
			size_t plane_bytes, uint32_t *word)
{
	size_t left = plane_bytes - at;

	for (int lane = 0; lane < lanes; lane++)
	{
		size_t c = start + (size_t) lane;
		const uint8_t *code =
			codes.base +
			(c < codes.count ? c : codes.count - 1) * codes.stride + at;

		for (int p = 0; p < 4; p++)
		{
			uint32_t held = 0;

			if (left >= 4)
				memcpy(&held, code + (size_t) p * plane_bytes, 4);
			else
				memcpy(&held, code + (size_t) p * plane_bytes, left);
			word[p * lanes + lane] = held;
		}
	}
}

#endif /* HX_WORDS4_H */
