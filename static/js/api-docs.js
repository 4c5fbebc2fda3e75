// The page of the API: what its links lead to is opened, and Swagger UI is fetched when somebody wants it.
const button = document.querySelector("[data-open-explorer]");
const trouble = document.querySelector("[data-explorer-trouble]");
const place = document.getElementById("api-docs");
const loading = {};

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

async function openExplorer() {
  button.disabled = true;
  trouble.textContent = "";
  await Promise.all([
    loaded("link", { rel: "stylesheet", href: button.dataset.style }),
    loaded("script", { src: button.dataset.script }),
  ]);
  button.hidden = true;
  SwaggerUIBundle({
    url: place.dataset.schemaUrl,
    domNode: place,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      request.headers["X-CSRFToken"] = place.dataset.csrfToken;
      return request;
    },
  });
}

/** An element of this kind, fetched once; what failed is fetched again. */
function loaded(kind, attributes) {
  loading[kind] ??= new Promise((resolve, reject) => {
    const element = document.createElement(kind);
    const fail = () => {
      delete loading[kind];
      element.remove();
      reject(new Error(`${kind} was not loaded`));
    };
    Object.assign(element, attributes, { onload: resolve, onerror: fail });
    document.head.append(element);
  });
  return loading[kind];
}

addEventListener("hashchange", openTarget);
openTarget();
button.addEventListener("click", () =>
  openExplorer().catch(() => {
    button.disabled = false;
    trouble.textContent = "Swagger UI can't be loaded right now. Try again soon.";
  }),
);
