// The page: takes pictures, and shows what the network makes of them.

const N_BARS = 10;
const element = id => document.getElementById(id);
const network = JSON.parse(element("network").textContent);
const weights = weightsOf(network.constants, bytesOf(element("weights").textContent.trim()));
let latest = 0;  // the number of the picture that was given last

function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return share < 1 && share > 0.999 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`;
}

function say(sentence) {
  element("message").textContent = sentence;
}

function draw(sample) {
  const [height, width, nChannels = 1] = network.input.shape, canvas = element("seen");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let colour = 0; colour < 3; colour++) {
      image.data[4 * i + colour] = sample[nChannels * i + (nChannels === 3 ? colour : 0)];
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function bar(name, share) {
  const item = document.createElement("li");
  for (const text of [name, percent(share)]) {
    item.append(Object.assign(document.createElement("span"), {textContent: text}));
  }
  const line = document.createElement("div");
  line.style.backgroundSize = `${100 * share}% 100%`;
  item.append(line);
  return item;
}

function show(sample, caption) {
  const probabilities = probabilitiesOf(network, weights, sample);
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  const bars = order.slice(0, N_BARS).map(i => bar(network.classes[i], probabilities[i]));
  const others = order.slice(N_BARS);
  draw(sample);
  element("caption").textContent = caption;
  element("answer").textContent =
    `${network.classes[order[0]]}, ${percent(probabilities[order[0]])} sure`;
  element("bars").replaceChildren(...bars);
  const together = percent(others.reduce((sum, i) => sum + probabilities[i], 0));
  element("others").textContent =
    others.length ? `The other ${others.length} classes together: ${together}.` : "";
  const result = element("result");
  result.hidden = false;
  say("");
  if (result.getBoundingClientRect().top > innerHeight / 2) result.scrollIntoView();
}

async function classify(blob, name, caption) {
  const number = ++latest;
  say(`Reading ${name} …`);
  let sample;
  try {
    sample = await sampleOf(blob, network.input);
  } catch {
    if (number === latest) {
      say(`${name} cannot be read as a picture by this browser. Give a JPEG, PNG, GIF or WebP file.`);
    }
    return;
  }
  if (number === latest) show(sample, caption ?? name);
}

function take(files, otherwise) {
  if (files.length) classify(files[0], files[0].name || "The picture");
  else say(otherwise);
}

for (const id of ["file", "camera"]) {
  element(id).addEventListener("change", event => {
    take(event.target.files, "No file was chosen.");
    event.target.value = "";  // so that the same can be chosen once more
  });
}
element("camera").addEventListener("cancel", () => say(
  "No photograph was taken. If the browser may not use the camera, allow it in the settings, or"
  + " choose a picture."));

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, event => {
    event.preventDefault();
    element("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") {
      take(event.dataTransfer.files, "What was dropped is not a file. Drop a picture file.");
    }
  });
}
document.addEventListener("paste", event => take(
  event.clipboardData.files, "What was pasted is not a picture. Copy a picture first."));

for (const button of document.querySelectorAll("#examples button")) {
  button.addEventListener("click", () => {
    const image = button.querySelector("img"), {caption} = button.dataset;
    const bytes = bytesOf(image.src.split(",")[1]);
    classify(new Blob([bytes], {type: "image/png"}), "The test picture", caption);
  });
}
