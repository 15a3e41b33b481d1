// Computes ONNX' operators on one sample. A tensor is its shape, and its numbers row by row.

const size = shape => shape.reduce((product, length) => product * length, 1);
const tensor = (shape, data = new Float32Array(size(shape))) => ({shape, data});
const axisOf = (axis, x) => axis < 0 ? axis + x.shape.length : axis;

function stepsOf(shape) {
  const steps = [];
  for (let axis = shape.length - 1, step = 1; axis >= 0; step *= shape[axis--]) steps[axis] = step;
  return steps;
}

// Calls a function with the place of the first number of each row, one step along each axis.
function forRows(shape, steps, start, use) {
  const index = shape.map(() => 0);
  for (let left = size(shape.slice(0, -1)), place = start; left > 0; left--) {
    use(place);
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      place += steps[axis];
      if (++index[axis] < shape[axis]) break;
      place -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

// Copies numbers that lie some steps apart.
function strided(x, shape, steps, start = 0, type = Float32Array) {
  const data = new type(size(shape)), from = x.data;
  const n = shape.at(-1) ?? 1, step = steps.at(-1) ?? 1;
  let at = 0;
  forRows(shape, steps, start, place => {
    for (const end = at + n; at < end; place += step) data[at++] = from[place];
  });
  return tensor(shape, data);
}

// Copies all of a tensor into a larger one.
function put(y, x, start) {
  const n = x.shape.at(-1) ?? 1;
  let at = 0;
  forRows(x.shape, stepsOf(y.shape), start, place => {
    y.data.set(x.data.subarray(at, at += n), place);
  });
}

function transposed(x, order) {
  const steps = stepsOf(x.shape);
  return strided(x, order.map(axis => x.shape[axis]), order.map(axis => steps[axis]));
}

function broadcast(x, shape) {
  if (x.shape.length === shape.length && size(x.shape) === size(shape)) return x;
  const lengths = [...shape.slice(x.shape.length).fill(1), ...x.shape];
  return strided(x, shape, stepsOf(lengths).map((step, axis) => lengths[axis] > 1 ? step : 0));
}

function commonShape(shapes) {
  const reversed = shapes.map(shape => [...shape].reverse());
  const n = Math.max(...shapes.map(shape => shape.length));
  const longest = (_, axis) => Math.max(...reversed.map(shape => shape[axis] ?? 1));
  return Array.from({length: n}, longest).reverse();
}

function padded(x, pads, value = 0) {
  if (pads.every(pad => pad === 0)) return x;
  const rank = x.shape.length, steps = [];
  const y = tensor(x.shape.map((length, axis) => pads[axis] + length + pads[rank + axis]));
  y.data.fill(value);
  put(y, x, stepsOf(y.shape).reduce((start, step, axis) => start + step * pads[axis], 0));
  return y;
}

// result[at + row * nColumns + column] = the product of a row of a and a row of b, n numbers each.
// Four rows by two are summed at a time, so that each number that is read serves several products.
function multiplyRows(a, b, n, nRows, nColumns, result, at) {
  const tiledRows = nRows - nRows % 4, tiledColumns = nColumns - nColumns % 2;
  for (let row = 0; row < tiledRows; row += 4) {
    for (let column = 0; column < tiledColumns; column += 2) {
      let a0 = row * n, b0 = column * n;
      let s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
      for (const end = a0 + n, a1 = n, a2 = 2 * n, a3 = 3 * n; a0 < end; a0++, b0++) {
        const x = b[b0], y = b[b0 + n];
        let w = a[a0];
        s00 += w * x, s01 += w * y;
        w = a[a0 + a1];
        s10 += w * x, s11 += w * y;
        w = a[a0 + a2];
        s20 += w * x, s21 += w * y;
        w = a[a0 + a3];
        s30 += w * x, s31 += w * y;
      }
      let to = at + row * nColumns + column;
      result[to] = s00, result[to + 1] = s01;
      result[to += nColumns] = s10, result[to + 1] = s11;
      result[to += nColumns] = s20, result[to + 1] = s21;
      result[to += nColumns] = s30, result[to + 1] = s31;
    }
  }
  for (let row = 0; row < nRows; row++) {
    for (let column = row < tiledRows ? tiledColumns : 0; column < nColumns; column++) {
      let sum = 0;
      for (let k = 0, i = row * n, j = column * n; k < n; k++) sum += a[i + k] * b[j + k];
      result[at + row * nColumns + column] = sum;
    }
  }
}

function multiplyMatrices(_, x, y) {
  const [nRows, n] = x.shape.slice(-2), nColumns = y.shape.at(-1);
  const outer = commonShape([x.shape.slice(0, -2), y.shape.slice(0, -2)]);
  const a = Float64Array.from(broadcast(x, [...outer, nRows, n]).data);
  const all = broadcast(y, [...outer, n, nColumns]), result = tensor([...outer, nRows, nColumns]);
  for (let i = 0; i < size(outer); i++) {
    const b = strided(all, [nColumns, n], [1, nColumns], i * n * nColumns, Float64Array).data;
    const rows = a.subarray(i * nRows * n, (i + 1) * nRows * n);
    multiplyRows(rows, b, n, nRows, nColumns, result.data, i * nRows * nColumns);
  }
  return result;
}

// The windows that move over the height and width of channels.
function windows(x, begin, nChannels, [kernelHeight, kernelWidth], [down, across], [dy, dx]) {
  const [height, width] = x.shape.slice(2);
  const outHeight = Math.floor((height - (kernelHeight - 1) * dy - 1) / down) + 1;
  const outWidth = Math.floor((width - (kernelWidth - 1) * dx - 1) / across) + 1;
  return strided(
    x,
    [outHeight, outWidth, nChannels, kernelHeight, kernelWidth],
    [down * width, across, height * width, dy * width, dx],
    begin * height * width,
    Float64Array,
  );
}

// Gives what has a width alone a height of 1.
const withHeight = (values, height) => values.length > 1 ? values : [height, ...values];
const withPicture = ({shape: [n, channels, ...lengths], data}) =>
  tensor([n, channels, ...withHeight(lengths, 1)], data);
const padsOf = pads =>
  pads.length > 2 ? [0, 0, ...pads.slice(0, 2), 0, 0, ...pads.slice(2)]
    : [0, 0, 0, pads[0], 0, 0, 0, pads[1]];
const likeInput = (x, channels, height, width, data) =>
  tensor(x.shape.length > 3 ? [1, channels, height, width] : [1, channels, width], data);

function convolve({strides, dilations, group, pads}, x, kernel, bias) {
  const picture = padded(withPicture(x), padsOf(pads));
  const [nFilters, nChannels, ...window] = withPicture(kernel).shape;
  const n = size([nChannels, ...window]), part = nFilters / group;
  const weights = Float64Array.from(kernel.data);
  let data, height, width;
  for (let g = 0; g < group; g++) {
    const moved = windows(
      picture, g * nChannels, nChannels, window, withHeight(strides, 1), withHeight(dilations, 1));
    [height, width] = moved.shape;
    data ??= new Float32Array(nFilters * height * width);
    const rows = weights.subarray(g * part * n, (g + 1) * part * n);
    multiplyRows(rows, moved.data, n, part, height * width, data, g * part * height * width);
  }
  const y = likeInput(x, nFilters, height, width, data);
  return bias ? OPERATORS.Add({}, y, tensor([nFilters, ...y.shape.slice(2).fill(1)], bias.data)) : y;
}

const pooling = (margin, summarize) => ({kernel_shape, strides, pads}, x) => {
  const picture = padded(withPicture(x), padsOf(pads), margin), nChannels = picture.shape[1];
  const window = withHeight(kernel_shape, 1), parts = [];
  let height, width;
  for (let channel = 0; channel < nChannels; channel++) {
    const moved = windows(picture, channel, 1, window, withHeight(strides, 1), [1, 1]);
    [height, width] = moved.shape;
    parts.push(parted(moved.data, size(window), summarize));
  }
  const y = likeInput(x, nChannels, height, width);
  parts.forEach((part, channel) => y.data.set(part, channel * height * width));
  return y;
};

function parted(data, n, summarize) {
  const result = new Float32Array(data.length / n);
  for (let i = 0; i < result.length; i++) result[i] = summarize(data, i * n, (i + 1) * n);
  return result;
}

function sum(data, begin, end) {
  let total = 0;
  for (let i = begin; i < end; i++) total += data[i];
  return total;
}

const mean = (data, begin, end) => sum(data, begin, end) / (end - begin);

function largest(data, begin, end) {
  let found = -Infinity;
  for (let i = begin; i < end; i++) if (data[i] > found) found = data[i];
  return found;
}

function meanOfThere(data, begin, end) {  // margins, which are NaN, do not count
  let total = 0, n = 0;
  for (let i = begin; i < end; i++) if (!Number.isNaN(data[i])) total += data[i], n++;
  return total / n;
}

const reduction = summarize => ({keepdims = 1}, x, axes) => {
  const along = Array.from(axes.data, axis => axisOf(axis, x));
  const kept = [...x.shape.keys()].filter(axis => !along.includes(axis));
  const n = size(along.map(axis => x.shape[axis]));
  const shape = keepdims ? x.shape.map((length, axis) => along.includes(axis) ? 1 : length)
    : kept.map(axis => x.shape[axis]);
  return tensor(shape, parted(transposed(x, [...kept, ...along]).data, n, summarize));
};

function einsum({equation}, ...inputs) {
  const [left, right] = equation.replaceAll(" ", "").split("->"), terms = left.split(",");
  const others = "ABCDEFGH".slice(0, inputs[0].shape.length - terms[0].length + 3);
  const lettersOf = term => [...term.replace("...", others)];
  const kept = lettersOf(right), lengths = {};
  terms.map(lettersOf).forEach((letters, i) =>
    letters.forEach((letter, axis) => lengths[letter] = inputs[i].shape[axis]));
  const order = [...kept, ...Object.keys(lengths).filter(letter => !kept.includes(letter))];
  const shape = order.map(letter => lengths[letter]);
  const [x, y] = terms.map(lettersOf).map((letters, i) => {
    const steps = stepsOf(inputs[i].shape);
    return strided(inputs[i], shape, order.map(letter => steps[letters.indexOf(letter)] ?? 0));
  });
  const products = OPERATORS.Mul({}, x, y), n = size(shape.slice(kept.length));
  return tensor(shape.slice(0, kept.length), parted(products.data, n, sum));
}

// Applies a function to each line of numbers along an axis.
const alongLines = change => ({axis}, x) => {
  const order = [...x.shape.keys()].filter(other => other !== axisOf(axis, x));
  order.push(axisOf(axis, x));
  const y = transposed(x, order), n = y.shape.at(-1);
  for (let i = 0; i < y.data.length; i += n) change(y.data.subarray(i, i + n));
  return transposed(y, [...order.keys()].map(place => order.indexOf(place)));
};

function softmax(line) {
  const top = largest(line, 0, line.length), powers = Array.from(line, x => Math.exp(x - top));
  const total = sum(powers, 0, powers.length);
  powers.forEach((power, i) => line[i] = power / total);
}

function logSoftmax(line) {
  const top = largest(line, 0, line.length);
  const total = Math.log(line.reduce((total, x) => total + Math.exp(x - top), 0)) + top;
  line.forEach((x, i) => line[i] = x - total);
}

const each = make => (attributes, x) => {
  const change = make(attributes), y = tensor(x.shape);
  for (let i = 0; i < y.data.length; i++) y.data[i] = change(x.data[i]);
  return y;
};

const pairs = join => (_, a, b) => {
  const y = tensor(commonShape([a.shape, b.shape]));
  const {data: x} = broadcast(a, y.shape), {data: z} = broadcast(b, y.shape);
  for (let i = 0; i < y.data.length; i++) y.data[i] = join(x[i], z[i]);
  return y;
};

const sigmoid = x => 1 / (1 + Math.exp(-x));
const softplus = x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const between = (x, least, most) => Math.min(Math.max(x, least), most);

// The error function, to 1.5e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26).
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const factors = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const sum = factors.reduce((sum, factor) => (sum + factor) * t, 0);
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const reshaped = (x, shape) => tensor(shape, x.data);

const OPERATORS = {
  Add: pairs((x, y) => x + y),
  AveragePool: pooling(NaN, meanOfThere),
  Cast: (_, x) => x,
  Celu: each(() => x => x > 0 ? x : Math.expm1(x)),
  Clip: (_, x, least, most) => each(() => v => between(v, least.data[0], most.data[0]))({}, x),
  Concat({axis}, ...inputs) {
    const along = axisOf(axis, inputs[0]), shape = [...inputs[0].shape];
    shape[along] = sum(inputs.map(x => x.shape[along]), 0, inputs.length);
    const y = tensor(shape);
    let start = 0;
    for (const x of inputs) {
      put(y, x, start);
      start += x.shape[along] * stepsOf(shape)[along];
    }
    return y;
  },
  Conv: convolve,
  Div: pairs((x, y) => x / y),
  Einsum: einsum,
  Elu: each(({alpha = 1}) => x => x > 0 ? x : alpha * Math.expm1(x)),
  Exp: each(() => Math.exp),
  Flatten: (_, x) => reshaped(x, [1, x.data.length]),
  Gelu: each(() => x => x / 2 * (1 + erf(x / Math.SQRT2))),
  HardSigmoid: each(({alpha, beta}) => x => between(alpha * x + beta, 0, 1)),
  HardSwish: each(() => x => x * between(x / 6 + 0.5, 0, 1)),
  Identity: (_, x) => x,
  LeakyRelu: each(({alpha}) => x => x < 0 ? alpha * x : x),
  LogSoftmax: alongLines(logSoftmax),
  MatMul: multiplyMatrices,
  Max: pairs(Math.max),
  MaxPool: pooling(-Infinity, largest),
  Mean(_, ...inputs) {
    const total = inputs.reduce((x, y) => OPERATORS.Add({}, x, y));
    return each(() => x => x / inputs.length)({}, total);
  },
  Min: pairs(Math.min),
  Mish: each(() => x => x * Math.tanh(softplus(x))),
  Mul: pairs((x, y) => x * y),
  Neg: each(() => x => -x),
  PRelu: pairs((x, slope) => x < 0 ? slope * x : x),
  Pad: (_, x, pads) => padded(x, Array.from(pads.data)),
  ReduceMax: reduction(largest),
  ReduceMean: reduction(mean),
  Relu: each(() => x => x > 0 ? x : 0),
  Reshape(_, x, {data}) {
    const shape = Array.from(data, (length, axis) => length === 0 ? x.shape[axis] : length);
    const known = size(shape.filter(length => length !== -1));
    return reshaped(x, shape.map(length => length === -1 ? x.data.length / known : length));
  },
  Selu: each(() => x => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x))),
  Shrink: each(({lambd, bias = 0}) => x => x < -lambd ? x + bias : x > lambd ? x - bias : 0),
  Sigmoid: each(() => sigmoid),
  Slice(_, x, {data: starts}, {data: ends}, {data: axes}) {
    const steps = stepsOf(x.shape), shape = [...x.shape];
    let start = 0;
    Array.from(axes).forEach((axis, i) => {
      shape[axis] = ends[i] - starts[i];
      start += starts[i] * steps[axis];
    });
    return strided(x, shape, steps, start);
  },
  Softmax: alongLines(softmax),
  Softplus: each(() => softplus),
  Softsign: each(() => x => x / (1 + Math.abs(x))),
  Sqrt: each(() => Math.sqrt),
  Sub: pairs((x, y) => x - y),
  Tanh: each(() => Math.tanh),
  ThresholdedRelu: each(({alpha}) => x => x > alpha ? x : 0),
  Tile(_, x, {data: times}) {
    const lengths = x.shape.flatMap((length, axis) => [times[axis], length]);
    const y = strided(x, lengths, stepsOf(x.shape).flatMap(step => [0, step]));
    return reshaped(y, x.shape.map((length, axis) => length * times[axis]));
  },
  Transpose: ({perm}, x) => transposed(x, perm),
  Unsqueeze(_, x, {data: axes}) {
    const shape = [...x.shape];
    for (const axis of axes) shape.splice(axis, 0, 1);
    return reshaped(x, shape);
  },
};

// Numbers of half precision: a sign, five bits of a power of two, ten bits after the one.
function fromHalves(halves) {
  return Float32Array.from(halves, half => {
    const sign = half & 0x8000 ? -1 : 1, power = half >> 10 & 31, digits = half & 1023;
    return sign * (power ? 2 ** (power - 25) * (1024 + digits) : 2 ** -24 * digits);
  });
}

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

// Takes numbers out of what all weights are kept in.
function weightsOf(constants, buffer) {
  return new Map(Object.entries(constants).map(([name, {shape, values, offset, type}]) => {
    if (values) return [name, tensor(shape, values)];
    const kind = type === "float16" ? Uint16Array : Float32Array;
    const end = offset + size(shape) * kind.BYTES_PER_ELEMENT;
    const numbers = new kind(buffer.slice(offset, end));
    return [name, tensor(shape, type === "float16" ? fromHalves(numbers) : numbers)];
  }));
}

// The probabilities that a network gives one sample.
function probabilitiesOf({nodes, input}, weights, sample) {
  const tensors = new Map(weights);
  tensors.set(input.name, tensor([1, ...input.shape], sample));
  for (const [operator, names, name, attributes] of nodes) {
    tensors.set(name, OPERATORS[operator](attributes, ...names.map(taken => tensors.get(taken))));
  }
  return tensors.get("probabilities").data;
}
