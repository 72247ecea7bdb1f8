// celltally's counts as a panel, and what it says of the picture as a caption.
#pragma once

#include "cell_meta.h"
#include "draw/draw.h"

namespace smearscope {

// Families in the order of their first label, each with its kinds below it, their shares of it in percent,
// and grades; erythroblasts per 100 white cells; platelets with the estimate of the blood's. Cells of a
// family whose kind is open are in the family's row alone.
draw::Panel panel_of(const Tally& tally);

draw::Caption caption_of(const Tally& tally);

}  // namespace smearscope
