# SPDX-License-Identifier: Apache-2.0
[profile]
id=fcc-mf2
title=FCC Mobility Fund Phase II

[service down_5]
title=4G data (at least 5 Mbit/s with 80 % probability)
quantity=down
limit=5
required=0.8
threshold_source=FCC, Mobility Fund Phase II: 5 Mbit/s at the cell edge
required_source=FCC, Mobility Fund Phase II: 80 % cell-edge probability
