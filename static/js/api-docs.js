// The OpenAPI document, browsable. Not a module: Swagger UI isn't one either.
(() => {
  const element = document.getElementById("api-docs");
  SwaggerUIBundle({
    url: element.dataset.schemaUrl,
    domNode: element,
    deepLinking: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      request.headers["X-CSRFToken"] = element.dataset.csrfToken;
      return request;
    },
  });
})();
