// swift-tools-version: 6.1
import PackageDescription

// One target a room; imports go one way, down this list.
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "ridgeline",
  products: [.executable(name: "ridgeline", targets: ["ridgeline"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .target(name: "Quantities"),
    .target(name: "Documents", dependencies: ["Quantities", yams]),
    .target(name: "Hardware", dependencies: ["Quantities", "Documents"]),
    .target(name: "ModelGraph", dependencies: ["Quantities", "Documents"]),
    .target(name: "Techniques", dependencies: ["Quantities", "Documents", "ModelGraph"]),
    .target(name: "CostModels", dependencies: ["Quantities", "Documents", "Hardware", "ModelGraph"]),
    .target(name: "EventKernel", dependencies: [heap]),
    .target(name: "CKernels"),
    .target(
      name: "ReferenceEngine", dependencies: ["CKernels", "Quantities", "Documents", "ModelGraph", "EventKernel"]),
    .target(name: "Workloads", dependencies: ["Quantities", "Documents", "EventKernel"]),
    .target(
      name: "Execution",
      dependencies: [
        "Quantities", "Documents", "Hardware", "ModelGraph", "Techniques", "CostModels", "EventKernel",
      ]),
    .systemLibrary(name: "CGSL", pkgConfig: "gsl", providers: [.apt(["libgsl-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Statistics", dependencies: ["EventKernel", "CGSL"]),
    .target(
      name: "Serving",
      dependencies: [
        "Quantities", "Documents", "EventKernel", "Workloads", "CostModels", "Execution", "Statistics", deque,
      ]),
    .target(
      name: "Calibration",
      dependencies: [
        "Quantities", "Documents", "Hardware", "ModelGraph", "CostModels", "Execution", "EventKernel", "Workloads",
        "Serving", "Statistics", "CZlib",
      ]),
    .target(name: "Reporting", dependencies: ["Quantities", "EventKernel"]),
    .target(name: "Store", dependencies: ["Documents", "Reporting", grdb, sqlite]),
    .target(
      name: "Studies",
      dependencies: [
        "Quantities", "Documents", "Hardware", "ModelGraph", "Techniques", "CostModels", "EventKernel", "Execution",
        "Workloads", "Serving", "Statistics", "Reporting", "Store",
      ]),
    .target(
      name: "HostStudy",
      dependencies: [
        "CKernels", "ReferenceEngine", "Quantities", "Documents", "Hardware", "ModelGraph", "CostModels", "EventKernel",
        "Execution", "Workloads", "Serving", "Statistics", "Reporting",
      ]),
    .executableTarget(
      name: "ridgeline",
      dependencies: [
        "Quantities", "Documents", "Hardware", "ModelGraph", "Techniques", "CostModels", "Execution", "Workloads",
        "Serving", "Calibration", "Statistics", "Studies", "Reporting", "Store", "ReferenceEngine", "HostStudy",
        argumentParser,
      ]),
    .executableTarget(
      name: "ridgeline-bench",
      dependencies: [
        "Quantities", "Documents", "Hardware", "ModelGraph", "CostModels", "Execution", "Workloads", "Serving", "Store",
      ]),
    .testTarget(
      name: "ModelGraphTests", dependencies: ["ModelGraph", "Documents", "Quantities"],
      exclude: ["LibraryCounts.json"]),
    .testTarget(name: "EventKernelTests", dependencies: ["EventKernel"]),
    .testTarget(name: "WorkloadsTests", dependencies: ["Documents", "EventKernel", "Quantities", "Workloads"]),
    .testTarget(name: "QuantitiesTests", dependencies: ["EventKernel", "Quantities"]),
    .testTarget(
      name: "DocumentsTests", dependencies: ["Documents", "EventKernel", "Hardware", "ModelGraph", "Quantities"]),
    .testTarget(name: "HardwareTests", dependencies: ["CostModels", "Documents", "Hardware", "Quantities"]),
    .testTarget(
      name: "ReportingTests", dependencies: ["EventKernel", "Quantities", "Reporting"], exclude: ["Snapshots"]),
    .testTarget(name: "StatisticsTests", dependencies: ["EventKernel", "Statistics"]),
    .testTarget(
      name: "StudiesTests",
      dependencies: [
        "TestSupport", "CostModels", "Documents", "EventKernel", "Execution", "Hardware", "ModelGraph", "Quantities",
        "Reporting", "Serving", "Store",
        "Studies",
        "Workloads",
      ]),
    .testTarget(name: "StoreTests", dependencies: ["Documents", "Reporting", "Store", grdb]),
    .testTarget(
      name: "HostStudyTests",
      dependencies: [
        "TestSupport", "HostStudy", "ReferenceEngine", "CostModels", "Documents", "Execution", "Hardware", "ModelGraph",
        "Quantities",
      ]),
    .testTarget(name: "CommandTests", dependencies: ["ridgeline"]),
    .testTarget(
      name: "ReferenceEngineTests",
      dependencies: [
        "TestSupport", "CKernels", "ReferenceEngine", "Documents", "EventKernel", "ModelGraph", "Quantities",
      ],
      exclude: ["forward.py", "SmolLM2Tokens.json"]),
    .target(
      name: "TestSupport",
      dependencies: ["Quantities", "Documents", "Hardware", "ModelGraph", "Techniques", "CostModels", "Execution"],
      path: "Tests/TestSupport"),
    .testTarget(
      name: "TechniqueTests",
      dependencies: [
        "TestSupport", "Documents", "EventKernel", "Techniques", "ModelGraph", "CostModels", "Execution", "Quantities",
      ]),
    .testTarget(name: "GraphTests", dependencies: ["TestSupport", "EventKernel", "ModelGraph", "Quantities"]),
    .testTarget(
      name: "CostTests",
      dependencies: ["TestSupport", "EventKernel", "Hardware", "CostModels", "ModelGraph", "Quantities", "Execution"]),
    .testTarget(
      name: "CalibrationTests",
      dependencies: [
        "TestSupport", "EventKernel", "Statistics", "Calibration", "CostModels", "Documents", "Execution", "Hardware",
        "ModelGraph", "Quantities", "Workloads",
      ]),
    .testTarget(
      name: "ExecutionTests",
      dependencies: [
        "TestSupport", "Documents", "EventKernel", "Execution", "CostModels", "Hardware", "ModelGraph", "Quantities",
        "Techniques",
      ]),
    .testTarget(
      name: "ReplayTests",
      dependencies: [
        "TestSupport", "Documents", "EventKernel", "Workloads", "CostModels", "ModelGraph", "Execution", "Calibration",
      ]),
    .testTarget(
      name: "ServingTests",
      dependencies: [
        "TestSupport", "Documents", "EventKernel", "Statistics", "Workloads", "CostModels", "ModelGraph", "Quantities",
        "Execution", "Serving",
        histogram,
      ]),
  ]
)
