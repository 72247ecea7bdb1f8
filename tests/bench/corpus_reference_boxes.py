"""Boxes and scale from pixels, as a Python author would write them: numpy for arithmetic, OpenCV for everything that it has.

Follows the program's steps (dataset-tools/segmentation). Where the program has a splitting algorithm of its own, this uses
OpenCV's watershed on the distance transform, the usual recipe; so boxes differ somewhat, but the work is the same.
Pictures are RGB, uint8.
"""
import cv2
import numpy as np

RED_CELL_UM = 7.5
ELLIPSE = {r: cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1)) for r in (2, 5)}


def otsu(values):
    """Threshold between two populations of floats: OpenCV's method on 256 levels between the extremes."""
    low, high = np.percentile(values, (0.5, 98))
    levels = np.clip((values - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels.reshape(-1, 1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return low + threshold / 255 * (high - low)


def separation(values, threshold):
    """Share of the variance that lies between the two sides, and the share of the values above."""
    above = values > threshold
    part = above.mean()
    if not 0 < part < 1:
        return 0, part
    step = values[above].mean() - values[~above].mean()
    return part * (1 - part) * step * step / values.var(), part


def not_nuclei(values):
    """Everything, unless nuclei decide the threshold: then what is below it has two well separated sides itself."""
    threshold = otsu(values)
    below = values[values <= threshold]
    share, part = separation(below, otsu(below))
    return values <= threshold if share > 0.8 and part > 0.15 else np.ones(len(values), bool)


def surface_terms(height, width):
    y, x = np.mgrid[-1:1:height * 1j, -1:1:width * 1j].astype(np.float32)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def cell_contrast(rgb):
    """About 0 on the background, above 1 in cells: absorbance against a fitted background, along the best colour direction."""
    height, width = rgb.shape[:2]
    scale = min(1.0, 128 / max(height, width))
    small = cv2.resize(cv2.blur(rgb, (3, 3)), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    log = np.log(small.astype(np.float32) + 1).reshape(-1, 3)
    terms = surface_terms(*small.shape[:2]).reshape(-1, 6)
    contrast = -log[:, 1]
    used = not_nuclei(contrast)
    terms, log, contrast = terms[used], log[used], contrast[used]
    cell = contrast > otsu(contrast)
    direction, threshold = np.array([0.0, 1.0, 0.0]), 1.0  # green, where a picture has no cells
    for _ in range(4):
        background = np.linalg.lstsq(terms[~cell], log[~cell], rcond=None)[0]
        stain = terms @ background - log
        fit = stain[:, 1] < 1.5
        inside, outside = stain[cell & fit], stain[~cell & fit]
        if len(inside) < 4 or len(outside) < 4:
            break
        within = np.cov(inside.T) + np.cov(outside.T) + 1e-5 * np.eye(3)
        direction = np.linalg.solve(within, inside.mean(0) - outside.mean(0))
        direction /= max(np.linalg.norm(direction), 1e-9)
        contrast = stain @ direction
        threshold = max(otsu(contrast), 1e-3)
        cell = contrast > threshold
    weights = direction / threshold
    table = np.log(np.arange(256, dtype=np.float32) + 1)
    return (surface_terms(height, width) @ (background @ weights).astype(np.float32)
            - table[rgb] @ weights.astype(np.float32))


def foreground(rgb):
    contrast = cv2.GaussianBlur(cell_contrast(rgb), (5, 5), 1.0)
    return contrast, (contrast > 0.7).astype(np.uint8) * 255


def weighted_median(values, weights):
    order = np.argsort(values)
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return values[order][min(half, len(values) - 1)]


def red_cell_diameter(contrast, mask):
    """Pixels; None where there are not two whole, round, lone red cells."""
    height, width = mask.shape
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    diameters, stains = [], []
    for outline in outlines:
        x, y, w, h = cv2.boundingRect(outline)
        if x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1 or max(w, h) > 1.6 * min(w, h):
            continue
        area = cv2.contourArea(outline)
        if area <= 0.92 * cv2.contourArea(cv2.convexHull(outline)):
            continue
        diameters.append(2 * np.sqrt(area / np.pi))
        stains.append(cv2.mean(contrast[y:y + h, x:x + w], mask[y:y + h, x:x + w])[0])
    diameters, stains = np.array(diameters), np.array(stains)
    if len(diameters) < 2:
        return None
    usual = stains <= 1.5 * weighted_median(stains, diameters ** 2)
    diameter = weighted_median(diameters[usual], diameters[usual] ** 2)
    alike = (diameters[usual] > 0.75 * diameter) & (diameters[usual] < 1.33 * diameter)
    return diameter if alike.sum() >= 2 else None


def pixel_size_um(rgb):
    diameter = red_cell_diameter(*foreground(rgb))
    return RED_CELL_UM / diameter if diameter else 0.0


def fill_holes(mask, largest):
    outlines, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for i, outline in enumerate(outlines):
        if tree[0, i, 3] >= 0 and cv2.contourArea(outline) < largest:
            cv2.drawContours(mask, outlines, i, 255, cv2.FILLED)
    return mask


def watershed(mask, peak_share):
    """Labels of the parts of a mask, cut where it is narrow: OpenCV's usual recipe."""
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    peaks = cv2.dilate(depth, np.ones((9, 9), np.uint8))
    seeds = ((depth >= peak_share * peaks) & (depth > 2)).astype(np.uint8)
    _, markers = cv2.connectedComponents(seeds)
    markers += 1
    markers[(mask > 0) & (seeds == 0)] = 0
    labels = cv2.watershed(cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR), markers) - 1
    labels[labels < 0] = 0
    return labels


def pointed_cells(rgb, points):
    """A box (x, y, w, h) for each point of Chula, and the picture's pixel size."""
    contrast, mask = foreground(rgb)
    diameter = red_cell_diameter(contrast, mask)
    side = diameter or 40.0
    mask = fill_holes(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, ELLIPSE[2]), 0.7 * side * side * np.pi / 4)
    labels = watershed(mask, 0.85)
    count = labels.max() + 1
    flat = labels.ravel()
    ys, xs = np.indices(labels.shape)
    left, top = np.full(count, 10 ** 6), np.full(count, 10 ** 6)
    right, bottom = np.full(count, -1), np.full(count, -1)
    np.minimum.at(left, flat, xs.ravel())
    np.maximum.at(right, flat, xs.ravel())
    np.minimum.at(top, flat, ys.ravel())
    np.maximum.at(bottom, flat, ys.ravel())
    boxes, taken = [], set()
    reach = int(0.35 * side)
    for x, y in points:
        y0, x0 = max(0, y - reach), max(0, x - reach)
        near = labels[y0:y + reach + 1, x0:x + reach + 1]
        ny, nx = np.nonzero(near)
        order = np.argsort((ny + y0 - y) ** 2 + (nx + x0 - x) ** 2)
        label = next((int(k) for k in near[ny[order], nx[order]] if int(k) not in taken), 0)
        if label:
            taken.add(label)
            boxes.append((left[label], top[label], right[label] - left[label] + 1, bottom[label] - top[label] + 1))
        else:
            boxes.append((x - side / 2, y - side / 2, side, side))
    return boxes, RED_CELL_UM / diameter if diameter else 0.0


def background_colour(rgb):
    green = rgb[:, :, 1]
    bright = rgb[green >= 0.96 * np.percentile(green, 90)]
    return np.median(bright, axis=0)


def central_cell(rgb):
    """Box (x, y, w, h) of the stained cell in the middle of a PBC picture."""
    height, width = rgb.shape[:2]
    scale = 256 / max(height, width)
    picture = cv2.GaussianBlur(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), (3, 3), 0)
    glass = background_colour(picture)
    tables = np.maximum(0, -np.log((np.arange(256)[:, None] + 1) / (glass + 1))).astype(np.float32)
    red, green, blue = (tables[:, c][picture[:, :, c]] for c in range(3))
    reds = (green > 0.10) & (red < 0.45) & (blue > 0.05)
    h, w = reds.shape
    reds[h // 4:h - h // 4, w // 4:w - w // 4] = False
    ratio = np.clip(np.median((red + green)[reds] / blue[reds]), 2.2, 3.4) if reds.any() else 2.8
    foreign = red + green - ratio * blue
    spread = 1.4826 * np.median(np.abs(foreign[reds])) if reds.any() else 0
    nuclei = ((foreign > 0.45) | (green > 0.9)).astype(np.uint8) * 255
    nuclei = cv2.morphologyEx(nuclei, cv2.MORPH_OPEN, ELLIPSE[2])
    threshold = np.clip(2 * spread, 0.06, 0.12)
    cells = (((green > 0.10) & (foreign > threshold)) | (nuclei > 0)).astype(np.uint8) * 255
    cells = fill_holes(cv2.morphologyEx(cells, cv2.MORPH_CLOSE, ELLIPSE[2]), np.inf)
    cells = cv2.morphologyEx(cells, cv2.MORPH_OPEN, ELLIPSE[5])
    labels = watershed(cells, 0.72)
    ys, xs = np.indices(labels.shape)
    weight = np.exp(-((xs + 0.5 - w / 2) ** 2 + (ys + 0.5 - h / 2) ** 2) / 43 ** 2) * (nuclei > 0)
    centrality = np.bincount(labels.ravel(), weight.ravel())
    centrality[0] = 0
    if centrality.max() > 0:
        cell = cv2.morphologyEx((labels == centrality.argmax()).astype(np.uint8), cv2.MORPH_OPEN, ELLIPSE[5])
        count, _, stats, _ = cv2.connectedComponentsWithStats(cell)
        if count > 1:
            x, y, cw, ch, area = stats[1 + stats[1:, cv2.CC_STAT_AREA].argmax()]
            if cw * ch >= 250 and cw < 0.85 * w and ch < 0.85 * h:
                return x / scale, y / scale, cw / scale, ch / scale
    return width * 0.25, height * 0.25, width * 0.5, height * 0.5
