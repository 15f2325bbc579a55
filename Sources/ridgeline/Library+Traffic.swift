import Documents
import Execution
import Workloads

extension Library {
  /// Generated traffic, read when asked for.
  func traffic() throws -> Catalogue<Workloads.Traffic> { try Catalogue(folder: folder + "/Workloads/Traffic") }
}
