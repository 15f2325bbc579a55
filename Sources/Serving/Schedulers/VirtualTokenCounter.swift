/// The tenant that has had the least service for its weight goes first; first come, first served within a tenant.
///
/// Service is counted in tokens as they are computed, an answer's twice. A tenant that comes back after a while without
/// requests is raised to the least of those that have some: nobody saves up service.
package struct VirtualTokenCounter: Scheduler {
  package static let description = PolicyDescription(
    "vtc", "fair shares: the tenant with the least weighted tokens served goes first",
    source: "Sheng et al., Fairness in Serving Large Language Models, OSDI 2024, arXiv:2401.00588")

  package init(_ values: PolicyValues = PolicyValues()) {}

  package var line: LineOrder { .tenants }
  package func key(_ request: RequestView) -> Double { request.tenantService }
}
