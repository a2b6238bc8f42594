/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The network operator of a PLMN (MCC and MNC, 5 or 6 digits) under the name people use, for the
 * countries this program is used in; NULL if it is not in the table. (ITU Operational Bulletin,
 * list of mobile network codes under E.212.) */
const char *plmn_operator(const char *plmn);
