"""Which model of torchvision or timm a row of the zoo is equal to, and how the peer's weights come into ours.

A name is "torchvision/NAME" or "timm/NAME". The rows that no library has are not in the table.
"""

PEERS = {
    # lenet, alexnet, nin, vgg
    "alexnet_owt": "torchvision/alexnet",
    "vgg11": "torchvision/vgg11", "vgg13": "torchvision/vgg13", "vgg16": "torchvision/vgg16", "vgg19": "torchvision/vgg19",
    "vgg11_bn": "torchvision/vgg11_bn", "vgg13_bn": "torchvision/vgg13_bn", "vgg16_bn": "torchvision/vgg16_bn",
    "vgg19_bn": "torchvision/vgg19_bn",
    # vit, deit, mobilevit
    "vit_ti_16": "timm/vit_tiny_patch16_224", "vit_s_16": "timm/vit_small_patch16_224", "vit_s_32": "timm/vit_small_patch32_224",
    "vit_b_16": "torchvision/vit_b_16", "vit_b_32": "torchvision/vit_b_32", "vit_l_16": "torchvision/vit_l_16",
    "vit_l_32": "torchvision/vit_l_32", "vit_h_14": "torchvision/vit_h_14",
    "deit_ti": "timm/deit_tiny_patch16_224", "deit_s": "timm/deit_small_patch16_224", "deit_b": "timm/deit_base_patch16_224",
    "deit_ti_distilled": "timm/deit_tiny_distilled_patch16_224", "deit_s_distilled": "timm/deit_small_distilled_patch16_224",
    "deit_b_distilled": "timm/deit_base_distilled_patch16_224",
    "mobilevit_xxs": "timm/mobilevit_xxs", "mobilevit_xs": "timm/mobilevit_xs", "mobilevit_s": "timm/mobilevit_s",
    # regnet, convnext
    "regnet_x_200mf": "timm/regnetx_002", "regnet_x_400mf": "timm/regnetx_004", "regnet_x_600mf": "timm/regnetx_006",
    "regnet_x_800mf": "torchvision/regnet_x_800mf", "regnet_x_1_6gf": "torchvision/regnet_x_1_6gf",
    "regnet_x_3_2gf": "torchvision/regnet_x_3_2gf", "regnet_x_4_0gf": "timm/regnetx_040", "regnet_x_6_4gf": "timm/regnetx_064",
    "regnet_x_8gf": "torchvision/regnet_x_8gf", "regnet_x_12gf": "timm/regnetx_120", "regnet_x_16gf": "torchvision/regnet_x_16gf",
    "regnet_x_32gf": "torchvision/regnet_x_32gf", "regnet_y_200mf": "timm/regnety_002",
    "regnet_y_400mf": "torchvision/regnet_y_400mf", "regnet_y_600mf": "timm/regnety_006", "regnet_y_800mf": "timm/regnety_008",
    "regnet_y_1_6gf": "torchvision/regnet_y_1_6gf", "regnet_y_3_2gf": "torchvision/regnet_y_3_2gf",
    "regnet_y_4_0gf": "timm/regnety_040", "regnet_y_6_4gf": "timm/regnety_064", "regnet_y_8gf": "timm/regnety_080",
    "regnet_y_12gf": "timm/regnety_120", "regnet_y_16gf": "torchvision/regnet_y_16gf", "regnet_y_32gf": "torchvision/regnet_y_32gf",
    "regnet_x_400mf_torchvision": "torchvision/regnet_x_400mf", "regnet_y_800mf_torchvision": "torchvision/regnet_y_800mf",
    "regnet_y_8gf_torchvision": "torchvision/regnet_y_8gf", "convnext_t": "torchvision/convnext_tiny",
    "convnext_s": "torchvision/convnext_small", "convnext_b": "torchvision/convnext_base",
    "convnext_l": "torchvision/convnext_large", "convnext_xl": "timm/convnext_xlarge",
    # googlenet, densenet, mobilenets
    "googlenet_torchvision": "torchvision/googlenet",
    "densenet121": "torchvision/densenet121", "densenet169": "torchvision/densenet169", "densenet201": "torchvision/densenet201",
    "densenet161": "torchvision/densenet161", "mobilenet_v1_relu6": "timm/mobilenetv1_100",
    "mobilenet_v2": "torchvision/mobilenet_v2", "mobilenet_v2_035": "timm/mobilenetv2_035",
    "mobilenet_v2_050": "timm/mobilenetv2_050", "mobilenet_v2_075": "timm/mobilenetv2_075",
    "mobilenet_v2_140": "timm/mobilenetv2_140", "mobilenet_v3_large": "torchvision/mobilenet_v3_large",
    "mobilenet_v3_small": "torchvision/mobilenet_v3_small",
    # resnet and its kin: preact_resnet, wide_resnet, resnext, senet, resnest. ECA-ResNet's peer needs an option of timm's resnet
    "resnet18": "torchvision/resnet18", "resnet34": "torchvision/resnet34",
    "resnet18_v1_5": "torchvision/resnet18", "resnet34_v1_5": "torchvision/resnet34", "resnet50_v1_5": "torchvision/resnet50",
    "resnet101_v1_5": "torchvision/resnet101", "resnet152_v1_5": "torchvision/resnet152",
    "resnetv2_18": "timm/resnetv2_18", "resnetv2_34": "timm/resnetv2_34", "resnetv2_50": "timm/resnetv2_50",
    "resnetv2_101": "timm/resnetv2_101", "resnetv2_152": "timm/resnetv2_152",
    "wide_resnet50_2": "torchvision/wide_resnet50_2", "wide_resnet101_2": "torchvision/wide_resnet101_2",
    "resnext50_32x4d": "torchvision/resnext50_32x4d", "resnext101_32x4d": "timm/resnext101_32x4d",
    "resnext101_32x8d": "torchvision/resnext101_32x8d", "resnext101_64x4d": "torchvision/resnext101_64x4d",
    "seresnet50_v1_5": "timm/seresnet50", "seresnet101_v1_5": "timm/seresnet101", "seresnet152_v1_5": "timm/seresnet152",
    "seresnet50_caffe": "timm/legacy_seresnet50", "seresnet101_caffe": "timm/legacy_seresnet101",
    "seresnet152_caffe": "timm/legacy_seresnet152",
    "resnest50": "timm/resnest50d", "resnest101": "timm/resnest101e", "resnest200": "timm/resnest200e", "resnest269": "timm/resnest269e",
    "resnest50_fast_1s4x24d": "timm/resnest50d_1s4x24d", "resnest50_fast_4s2x40d": "timm/resnest50d_4s2x40d",
    # efficientnet: the authors' own weights are in timm, as tf_
    **{f"efficientnet_b{i}": f"timm/tf_efficientnet_b{i}" for i in range(8)}, "efficientnet_lite0": "timm/tf_efficientnet_lite0",
    **{f"efficientnet_b{i}_torchvision": f"torchvision/efficientnet_b{i}" for i in range(8)},
}  # fmt: skip

TIMM_NAMES = {  # torchvision's name of a model -> timm's, where they differ
    "vit_b_16": "vit_base_patch16_224", "vit_b_32": "vit_base_patch32_224", "vit_l_16": "vit_large_patch16_224",
    "vit_l_32": "vit_large_patch32_224", "vit_h_14": "vit_huge_patch14_224", "mobilenet_v2": "mobilenetv2_100",
    "mobilenet_v3_large": "mobilenetv3_large_100", "mobilenet_v3_small": "mobilenetv3_small_100",
    "regnet_x_400mf": "regnetx_004", "regnet_x_800mf": "regnetx_008", "regnet_x_1_6gf": "regnetx_016", "regnet_x_3_2gf": "regnetx_032",
    "regnet_x_8gf": "regnetx_080", "regnet_x_16gf": "regnetx_160", "regnet_x_32gf": "regnetx_320", "regnet_y_400mf": "regnety_004",
    "regnet_y_800mf": "regnety_008", "regnet_y_1_6gf": "regnety_016", "regnet_y_3_2gf": "regnety_032", "regnet_y_8gf": "regnety_080",
    "regnet_y_16gf": "regnety_160", "regnet_y_32gf": "regnety_320",
}  # fmt: skip
