"""
From a folder of pictures to predictions
========================================

All you need is one folder for each class.
"""

# %%
# To have a folder to read, write the digits as PNG files of several sizes. Use your own folder
# instead.

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from skcifar import load_digit_images

names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
temporary = TemporaryDirectory()
folder = Path(temporary.name)
digits = load_digit_images()
for number, (image, label) in enumerate(zip(digits.images[:800], digits.target[:800], strict=True)):
    path = folder / names[label] / f"{number:04}.png"
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(image).resize((40 + number % 30, 60)).save(path)

# %%
# The loader returns a Bunch, as those of scikit-learn do; ``DESCR`` says what was found.

from skcifar import load_image_folder

pictures = load_image_folder(folder, image_size=(32, 32), resize="stretch")
print(pictures.DESCR.replace(str(folder), "pictures"))

# %%
# Train on three quarters of the pictures, and keep the rest for scoring.

from sklearn.model_selection import train_test_split

from skcifar import make_dense_pipeline

X, y = pictures.images, pictures.target_names[pictures.target]
X_train, X_test, y_train, y_test, _, files = train_test_split(
    X, y, pictures.filenames, stratify=y, random_state=0
)
model = make_dense_pipeline(epochs=15, resize="stretch", random_state=0).fit(X_train, y_train)
print(f"{model.score(X_test, y_test):.3f}")

# %%
# The model classifies files as well as arrays, of any size.

for file, name in zip(files[:3], model.predict(files[:3]), strict=True):
    print(f"{Path(file).relative_to(folder)} is a {name}")

# %%
# The mistakes of which the model was most sure, with their file names. Often it is the label that
# is wrong.

import matplotlib.pyplot as plt

from skcifar import MistakesDisplay

MistakesDisplay.from_estimator(
    model, X_test, y_test, filenames=[Path(file).name for file in files], n_images=5
)
plt.show()
temporary.cleanup()
