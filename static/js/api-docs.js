// The page of the API: what its links lead to is opened, and Swagger UI is fetched when somebody wants it.
const button = document.querySelector("[data-open-explorer]");
const place = document.getElementById("api-docs");

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

async function openExplorer() {
  button.disabled = true;
  await Promise.all([
    loaded(document.createElement("link"), { rel: "stylesheet", href: button.dataset.style }),
    loaded(document.createElement("script"), { src: button.dataset.script }),
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

function loaded(element, attributes) {
  return new Promise((resolve, reject) => {
    Object.assign(element, attributes, { onload: resolve, onerror: reject });
    document.head.append(element);
  });
}

addEventListener("hashchange", openTarget);
openTarget();
button.addEventListener("click", () =>
  openExplorer().catch(() => {
    button.disabled = false;
  }),
);
