/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite made light, for targets that open databases thousands of times a second. */
#pragma once

/* Before SQLite is used first; later calls do nothing. SQLite then serves one thread, locks a file
 * once per connection, and its memory comes from a heap that costs little and still tells
 * AddressSanitizer what may be touched. */
void light_sqlite(void);
