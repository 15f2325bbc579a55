import Documents
import Execution
import Workloads

extension Library {
  /// Generated traffic, read when asked for.
  package func traffic() throws -> Catalogue<Workloads.Traffic> { try Catalogue(folder: folder + "/Workloads/Traffic") }

  /// Scenarios, read when asked for.
  package func scenarios() throws -> Catalogue<Scenario> { try Catalogue(folder: folder + "/Workloads/Scenarios") }

  /// Places where machines stand, read when asked for.
  package func sites() throws -> Catalogue<GridSite> { try Catalogue(folder: folder + "/Hardware/Sites") }
}
