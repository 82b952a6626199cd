// Sorts a table by a column: a click on its title, once more for the other way round.
for (const title of document.querySelectorAll("thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...title.childNodes);
  title.append(button);
  button.addEventListener("click", () => {
    const up = title.getAttribute("aria-sort") !== "ascending";
    for (const other of title.parentNode.children) other.removeAttribute("aria-sort");
    title.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = row => row.cells[title.cellIndex].textContent.replaceAll(",", "");
    const body = title.closest("table").tBodies[0];
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [parseFloat(key(a)), parseFloat(key(b))];
      const order = Number.isNaN(x) || Number.isNaN(y)
        ? Number.isNaN(x) - Number.isNaN(y) || key(a).localeCompare(key(b))
        : x - y;
      return up ? order : -order;
    });
    body.append(...rows);
  });
}
