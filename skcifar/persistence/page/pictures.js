// Brings pictures to a size as the pipeline does: by Pillow's bicubic filter.

const STRIP = 1 << 20;  // pixels that are taken out of a picture at a time

// Reads a picture upright, on white, each square of some pixels averaged to one.
function pixelsOf(bitmap, factor) {
  const width = Math.ceil(bitmap.width / factor), height = Math.ceil(bitmap.height / factor);
  const pixels = new Uint8ClampedArray(width * height * 3);
  const rows = Math.min(height, Math.max(1, Math.floor(STRIP / bitmap.width / factor)));
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = rows * factor;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  for (let top = 0; top < height; top += rows) {
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, -top * factor);
    const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
    for (let row = top; row < Math.min(top + rows, height); row++) {
      const begin = (row - top) * factor, end = Math.min(begin + factor, bitmap.height - top * factor);
      for (let column = 0; column < width; column++) {
        const left = column * factor, right = Math.min(left + factor, bitmap.width);
        let red = 0, green = 0, blue = 0;
        for (let y = begin; y < end; y++) {
          for (let i = (y * bitmap.width + left) * 4, last = i + (right - left) * 4; i < last; i += 4) {
            red += data[i], green += data[i + 1], blue += data[i + 2];
          }
        }
        const n = (end - begin) * (right - left), at = (row * width + column) * 3;
        pixels[at] = red / n, pixels[at + 1] = green / n, pixels[at + 2] = blue / n;
      }
    }
  }
  return {width, height, pixels};
}

// A JPEG file is made smaller as the pipeline decodes it: by 2, 4 or 8, as long as it stays three
// times as large as what is wanted. Of others, very large ones are, where the filter has hundreds of
// pixels for one.
function factorOf(bitmap, side, isJpeg) {
  const least = isJpeg ? 3 * side : 8 * side;
  const most = Math.floor(Math.min(bitmap.width, bitmap.height) / least);
  return [8, 4, 2].find(factor => factor <= most) ?? 1;
}

function cubic(distance) {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((2.5 - 0.5 * x) * x - 4) * x + 2 : 0;
}

// What each of n pixels is made of that share a part of a line.
function filtersOf(length, begin, end, n) {
  const scale = (end - begin) / n, wide = Math.max(1, scale);
  return Array.from({length: n}, (_, i) => {
    const centre = begin + (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - 2 * wide + 0.5));
    const last = Math.min(length, Math.floor(centre + 2 * wide + 0.5));
    const weights = Array.from(
      {length: last - first}, (_, k) => cubic((first + k - centre + 0.5) / wide));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return {first, weights: weights.map(weight => weight / total)};
  });
}

function filtered({width, height, pixels}, [left, top, right, bottom], newWidth, newHeight) {
  const across = filtersOf(width, left, right, newWidth);
  const narrow = new Uint8ClampedArray(newWidth * height * 3);
  for (let row = 0, at = 0; row < height; row++) {
    for (const {first, weights} of across) {
      for (let colour = 0; colour < 3; colour++) {
        let sum = 0.5, from = (row * width + first) * 3 + colour;
        for (let k = 0; k < weights.length; k++, from += 3) sum += weights[k] * pixels[from];
        narrow[at++] = Math.floor(sum);
      }
    }
  }
  const result = new Uint8ClampedArray(newWidth * newHeight * 3), step = newWidth * 3;
  filtersOf(height, top, bottom, newHeight).forEach(({first, weights}, row) => {
    for (let i = 0; i < step; i++) {
      let sum = 0.5;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * narrow[(first + k) * step + i];
      result[row * step + i] = Math.floor(sum);
    }
  });
  return result;
}

// Cuts out the middle, adds black margins, or stretches.
function resized(picture, width, height, resize) {
  if (resize === "pad") {
    const scale = Math.min(width / picture.width, height / picture.height);
    const innerWidth = Math.max(1, Math.round(picture.width * scale));
    const innerHeight = Math.max(1, Math.round(picture.height * scale));
    const inner = filtered(
      picture, [0, 0, picture.width, picture.height], innerWidth, innerHeight);
    const left = Math.floor((width - innerWidth) / 2), top = Math.floor((height - innerHeight) / 2);
    const result = new Uint8ClampedArray(width * height * 3);
    for (let row = 0; row < innerHeight; row++) {
      const line = inner.subarray(row * innerWidth * 3, (row + 1) * innerWidth * 3);
      result.set(line, ((top + row) * width + left) * 3);
    }
    return result;
  }
  let cutWidth = picture.width, cutHeight = picture.height;
  if (resize === "crop") {
    const ratio = width / height;
    if (cutWidth / cutHeight >= ratio) cutWidth = ratio * cutHeight;
    else cutHeight = cutWidth / ratio;
  }
  const left = (picture.width - cutWidth) / 2, top = (picture.height - cutHeight) / 2;
  return filtered(picture, [left, top, left + cutWidth, top + cutHeight], width, height);
}

const greyOf = (red, green, blue) => (red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16;

// What the network gets of a picture file: its bytes, in grey or in colours.
async function sampleOf(blob, {shape: [height, width, nChannels = 1], resize}) {
  const bitmap = await createImageBitmap(
    blob, {imageOrientation: "from-image", colorSpaceConversion: "none"});
  const factor = factorOf(bitmap, Math.max(width, height), blob.type === "image/jpeg");
  const pixels = resized(pixelsOf(bitmap, factor), width, height, resize);
  bitmap.close();
  if (nChannels === 3) return Float32Array.from(pixels);
  return Float32Array.from({length: width * height}, (_, i) =>
    greyOf(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]));
}
