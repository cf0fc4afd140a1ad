// Shows the document. No validator and no other page is asked: everything comes from this server.
SwaggerUIBundle({
  url: "/openapi/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
