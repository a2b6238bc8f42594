/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/network.h"

G_DEFINE_QUARK(corridor - network - error - quark, network_error)
