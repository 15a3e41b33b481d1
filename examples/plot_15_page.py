"""
A page that classifies in any browser
=====================================

One HTML file that needs no server and no connection: pupils can try a model on their phones.
"""

# %%
# Any pipeline of this package will do.

from skcifar import load_digit_images, make_dense_pipeline

X, y = load_digit_images(return_X_y=True)
X_test, y_test = load_digit_images(subset="test", return_X_y=True)
pipeline = make_dense_pipeline(epochs=5, random_state=0).fit(X, y)

# %%
# The page holds the network, ten test pictures to begin with, and how many of all test pictures it
# gets right. ``precision="float16"`` halves the space that the weights take; the accuracy is then
# that of the rounded weights.

from pathlib import Path
from tempfile import TemporaryDirectory

from skcifar import export_html

with TemporaryDirectory() as folder:
    page = Path(folder) / "digits.html"
    for precision in "float32", "float16":
        accuracy = export_html(
            pipeline, page, X=X_test, y=y_test, title="Which digit is this?", precision=precision
        )
        size = page.stat().st_size / 1e6
        print(f"{precision}: {size:.1f} MB, {accuracy:.3f} of the test pictures are right")

# %%
# On a computer, open the file. Phones often refuse to open local files, so put it where they can
# reach it: on any web server, such as GitHub Pages or GitLab Pages; or, for phones in the same
# network, on your own computer. There, ``python -m http.server`` in the folder of the page serves
# it as ``http://192.168.0.7:8000/digits.html``, with your computer's address in place of this one.
# Pictures that are given to the page do not leave the phone.
