/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spoils answers: what broken firmware, a bad cable or a hostile device does to a frame. The frame
 * stays a frame (its outer length is right), so that the damage reaches the parser of the message.
 */
#pragma once

#include <glib.h>

typedef enum { FRAMING_QMUX, FRAMING_MBIM } Framing;

/* TRUE for a frame that carries an answer or an indication, FALSE for those that set the
 * connection up; these are not spoiled, so that there is a connection to spoil. */
gboolean spoil_applies(Framing framing, const GByteArray *frame);

/* Cuts the message in the middle of its last TLV or structure. */
void spoil_truncate(Framing framing, GByteArray *frame, GRand *random);
/* Changes some bytes behind the header. */
void spoil_malform(Framing framing, GByteArray *frame, GRand *random);
/* Adds TLVs that nobody knows (QMUX), or bytes behind the structure (MBIM). */
void spoil_unknown(Framing framing, GByteArray *frame);
