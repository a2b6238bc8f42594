# SPDX-License-Identifier: Apache-2.0
# Ofcom defines 4G coverage by what it delivers. The dBm figure that is often quoted with it has no
# public source here and is left out.
[profile]
id=ofcom-2025
title=Ofcom 4G definition 2025 (5 Mbit/s)

[service down_5]
title=4G data (at least 5 Mbit/s, 95 % of tests)
quantity=down
limit=5
required=0.95
threshold_source=Ofcom, raised from 2 to 5 Mbit/s in 2025
required_source=Ofcom, 95 % chance of the rate
link=https://www.ispreview.co.uk/index.php/2025/05
