// What can be found out about the page's accessibility by looking at it; returns sentences, none when all is well.
() => {
  const problems = [];
  const say = (element, what) => problems.push(`${element.outerHTML.slice(0, 80)}: ${what}`);
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const hidden = (element) => element.closest(".unseen, .skip, [aria-hidden=true]");

  // Names and labels
  for (const element of document.querySelectorAll("input, select, textarea")) {
    const label = [...(element.labels ?? [])].map((each) => each.textContent.trim()).join("");
    if (!label && !element.ariaLabel) say(element, "has no label");
  }
  for (const element of document.querySelectorAll("button, a, summary")) {
    if (!element.textContent.trim() && !element.ariaLabel) say(element, "has no name");
  }
  const names = [...document.querySelectorAll("button, a")].filter(shown).map((each) => each.textContent.trim());
  for (const name of new Set(names)) if (names.filter((each) => each === name).length > 1) problems.push(`${name}: twice`);
  for (const element of document.querySelectorAll("[aria-labelledby], [aria-describedby]")) {
    for (const name of ["aria-labelledby", "aria-describedby"]) {
      const id = element.getAttribute(name);
      if (id && !document.getElementById(id)) say(element, `${name} names nothing`);
    }
  }

  // Structure
  if (!document.documentElement.lang) problems.push("the page has no language");
  if (!document.title) problems.push("the page has no title");
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) problems.push("not one main");
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  if (new Set(ids).size !== ids.length) problems.push("an id is there twice");
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    if (Number(heading.tagName[1]) > level + 1) say(heading, "skips a level");
    level = Number(heading.tagName[1]);
  }
  for (const element of document.querySelectorAll("[tabindex]")) {
    if (element.tabIndex > 0) say(element, "changes the order of tabs");
  }

  // Contrast: WCAG 2.2, 1.4.3 for text and 1.4.11 for the edges of what is operated
  const channels = (color) => {
    const parts = color.replace("srgb", "").match(/[\d.]+/g).map(Number);
    return color.startsWith("color(") ? parts.map((each, index) => (index < 3 ? each * 255 : each)) : parts;
  };
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = channels(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !shown(element) || hidden(element) || element.closest("script, template, noscript")) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(channels(style.color), behind(element));
    texts += 1;
    if (found < (large ? 3 : 4.5)) say(element, `contrast ${found.toFixed(2)}`);
  }
  if (texts < 15) problems.push(`only ${texts} texts were looked at`);
  for (const element of document.querySelectorAll("input, select, textarea, button.quiet")) {
    if (!shown(element)) continue;
    const found = ratio(channels(getComputedStyle(element).borderTopColor), behind(element.parentElement));
    if (found < 3) say(element, `contrast of its edge ${found.toFixed(2)}`);
  }

  // Room: 2.5.8, 24 by 24
  for (const element of document.querySelectorAll("button, input, select, textarea, summary, .docs")) {
    const { width, height } = element.getBoundingClientRect();
    if (shown(element) && (width < 24 || height < 24)) say(element, `only ${width} by ${height}`);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) problems.push("scrolls sideways");
  return problems;
}
