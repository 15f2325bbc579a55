import Documents

// Policies are chosen and described like everything that takes `name:parameter=value,...`.
package typealias PolicyDescription = ChoiceDescription
package typealias PolicyParameter = ChoiceParameter
package typealias PolicyValue = ChoiceValue
package typealias PolicyValues = ChoiceValues
package typealias PolicyChoice = NamedChoice
package typealias PolicyError = ChoiceError
